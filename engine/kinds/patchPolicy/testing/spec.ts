import type { ResolvedPatchPolicy } from '../spec.ts';

/** Parts of a resolved document that need cases of their own. */
export const SECTIONS = ['updates', 'holds'] as const;

/** A whole spec from the part that a case gives. */
export function patchPolicySpec({
  updates = {},
  holds = [],
}: {
  readonly updates?: object;
  readonly holds?: readonly string[];
}): ResolvedPatchPolicy {
  const rules = {
    which: 'security',
    securityOrigins: [],
    exclude: [],
    pinned: [],
    conffiles: 'keep',
    restart: 'needed',
    restartNever: [],
    reboot: 'never',
    ...updates,
  } as const;
  return { updates: rules, holds, probes: [] };
}
