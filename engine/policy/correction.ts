import type { PolicySpec, PolicyWindow } from '../spec/types.generated.ts';
import { isOpen, opensAt } from './calendar.ts';
import { type Change, changedOf, packagesRemoved } from './change.ts';
import { sayWindow, windowsOf } from './judge.ts';
import { matchedRules } from './match.ts';

/** What a policy says of a correction: nothing is asked of a person, but windows and limits hold. */
export interface CorrectionVerdict {
  /** Why it may not be made; none: it may. Sentences without their full stop. */
  readonly missing: readonly string[];
  /** Only windows are shut: epoch ms at which all are open. */
  readonly opensAt?: number;
  readonly windows: readonly PolicyWindow[];
}

/** `paths`: the files of the documents that ask for it. */
export function judgeCorrection(
  spec: PolicySpec | undefined,
  change: Pick<Change, 'targets' | 'paths' | 'now'>,
): CorrectionVerdict {
  const rules = matchedRules(spec?.rules ?? {}, change);
  const limits = rules.flatMap(({ name, rule: { limits } }) => [
    ...over(name, 'servers', limits?.hosts, changedOf(change.targets).length),
    ...over(name, 'removed packages', limits?.packagesRemoved, removed(change.targets)),
  ]);
  const shut = rules.flatMap(({ name, rule: { window } }) =>
    window === undefined || isOpen(window, change.now) ? [] : [{ name, window }],
  );
  const windows = shut.map(
    ({ name, window }) => `the change window ${sayWindow(window)} is shut (rule ${name})`,
  );
  const all = windowsOf(rules);
  if (limits.length > 0 || shut.length === 0) return { missing: [...limits, ...windows], windows: all };
  const opening = opensAt(all, change.now);
  return { missing: windows, windows: all, ...(opening === undefined ? {} : { opensAt: opening }) };
}

function over(rule: string, what: string, most: number | undefined, is: number): readonly string[] {
  return most === undefined || is <= most
    ? []
    : [`the policy allows ${most} ${what} a run, and it is ${is} (rule ${rule})`];
}

function removed(targets: Change['targets']): number {
  return targets.flatMap(({ steps }) => steps).reduce((sum, step) => sum + packagesRemoved(step), 0);
}
