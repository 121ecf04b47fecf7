import type { PlannedDocument } from '../../spec/documents.ts';
import { controlsOf } from './catalogue.ts';
import type { ResolvedHardening } from './spec.ts';

/** The same on all hosts: what differs there is seen while planning. */
export function prepareHardening({ spec }: PlannedDocument<'Hardening'>): () => ResolvedHardening {
  const { profile = 'baseline', waivers = {} } = spec;
  const overrides = new Map(Object.entries(spec.overrides ?? {}).map(([id, { value }]) => [id, value]));
  const controls = controlsOf(profile)
    .filter(({ id }) => !Object.hasOwn(waivers, id))
    .map(({ id, range }) => {
      const given = profile === 'strict' ? (range?.strict ?? range?.value) : range?.value;
      const value = overrides.get(id) ?? given;
      return { id, ...(value === undefined ? {} : { value }) };
    });
  const resolved: ResolvedHardening = {
    profile,
    controls,
    ...(spec.witness && { witness: spec.witness }),
    waivers: Object.entries(waivers).map(([id, { reason, owner, expires }]) => ({
      id,
      reason,
      owner,
      expires,
    })),
  };
  return () => resolved;
}
