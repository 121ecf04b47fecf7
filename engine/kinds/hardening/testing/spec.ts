import type { PlannedDocument } from '../../../spec/documents.ts';
import type { HardeningSpec } from '../../../spec/types.generated.ts';
import { prepareHardening } from '../prepare.ts';
import type { ResolvedHardening } from '../spec.ts';

/** Parts of a resolved document that need cases of their own. */
export const SECTIONS = ['controls', 'waivers', 'witness'] as const;

/** A whole spec from the part that a case gives. */
export function hardeningSpec(spec: Readonly<Record<string, unknown>>): ResolvedHardening {
  return { profile: 'baseline', controls: [], waivers: [], ...spec } as ResolvedHardening;
}

/** As a document with this spec is on every host. */
export function resolvedHardening(spec: Omit<HardeningSpec, 'targets'>): ResolvedHardening {
  const document = { spec: { targets: { all: true }, ...spec } } as PlannedDocument<'Hardening'>;
  return prepareHardening(document)();
}
