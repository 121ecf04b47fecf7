import { createHash } from 'node:crypto';
import type { Json } from '../operations/operation.ts';
import { type PlanRollout, rolloutEssence } from './rollout.ts';
import type { HostPlan, Step } from './step.ts';

/**
 * What an approval is bound to: per host, the canonical steps and the before-states of what they touch. Wording
 * (summary, diff), reasons and findings are left out, so a better sentence never voids an approval.
 */
export function hostDigest(host: string, steps: readonly Step[]): string {
  return sha256(canonicalJson({ host, steps: steps.map(essence) }));
}

/** Over the hosts' digests and, where the plan has one, the way in which it reaches them. */
export function planDigest(
  hosts: readonly Pick<HostPlan, 'host' | 'digest'>[],
  rollout?: PlanRollout,
): string {
  const sorted = hosts
    .map(({ host, digest }) => [host, digest])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return sha256(
    canonicalJson(rollout === undefined ? sorted : { hosts: sorted, rollout: rolloutEssence(rollout) }),
  );
}

/** Names a plan that nobody can apply. No approval is bound to it, so it covers every word: another plan never takes its place. */
export function recordDigest(repository: string, hosts: readonly HostPlan[]): string {
  return sha256(canonicalJson({ repository, hosts }));
}

/**
 * Whether an approval of one plan covers another of the same host: nothing in it is new. Steps that reality has
 * already satisfied may have dropped out.
 */
export function coveredBy(approved: readonly Step[], now: readonly Step[]): boolean {
  return uncovered(approved, now).length === 0;
}

/** Steps that an approval of one plan does not cover in another of the same host. */
export function uncovered(approved: readonly Step[], now: readonly Step[]): readonly Uncovered[] {
  const known = new Map(approved.map((step) => [step.id, step]));
  return now.flatMap((step): readonly Uncovered[] => {
    const one = known.get(step.id);
    if (one === undefined) return [{ step, is: 'new' }];
    const same = canonicalJson(withoutAlong(one)) === canonicalJson(withoutAlong(step));
    return same && isWithin(step.params.along, one.params.along) ? [] : [{ step, is: 'changed' }];
  });
}

/**
 * What comes along with packages is told once for those of all documents: where some of them are there by now, less may come along with
 * the others.
 */
function isWithin(now: Json | undefined, approved: Json | undefined): boolean {
  if (approved === null) return true;
  const known = [approved ?? []].flat();
  return now !== null && [now ?? []].flat().every((name) => known.includes(name));
}

function withoutAlong(step: Step) {
  const { along, ...params } = step.params;
  return essence({ ...step, params });
}

export interface Uncovered {
  readonly step: Step;
  /** `changed`: it does something else, or finds something else than was approved. */
  readonly is: 'new' | 'changed';
}

/** JSON with sorted keys and no spaces: the same data always gives the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

function essence(step: Step) {
  const { id, operation, params, dependsOn, reversible, disruption, before, wave, onRemoval } = step;
  return { id, operation, params, dependsOn, reversible, disruption, before, wave, onRemoval };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
