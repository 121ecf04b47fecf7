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

/** `paths`: the files of the documents that ask for it. `own`: windows that these declare themselves. */
export function judgeCorrection(
  spec: PolicySpec | undefined,
  change: Pick<Change, 'targets' | 'paths' | 'now'>,
  own: readonly PolicyWindow[] = [],
): CorrectionVerdict {
  const rules = matchedRules(spec?.rules ?? {}, change);
  const limits = rules.flatMap(({ name, rule: { limits } }) => [
    ...over(name, 'servers', limits?.hosts, changedOf(change.targets).length),
    ...over(name, 'removed packages', limits?.packagesRemoved, removed(change.targets)),
  ]);
  const declared = [
    ...own.map((window) => ({ window, by: '' })),
    ...rules.flatMap(({ name, rule: { window } }) =>
      window === undefined ? [] : [{ window, by: ` (rule ${name})` }],
    ),
  ];
  const shut = declared.filter(({ window }) => !isOpen(window, change.now));
  const windows = shut.map(({ window, by }) => `the ${nounOf(by)} ${sayWindow(window)} is shut${by}`);
  const all = [...own, ...windowsOf(rules)];
  if (limits.length > 0 || shut.length === 0) return { missing: [...limits, ...windows], windows: all };
  const opening = opensAt(all, change.now);
  if (opening === undefined) return { missing: [...windows, NEVER], windows: all };
  return { missing: windows, windows: all, opensAt: opening };
}

function nounOf(rule: string): string {
  return rule === '' ? "document's window" : 'change window';
}

const NEVER = 'there is no moment within 400 days at which all of them are open';

function over(rule: string, what: string, most: number | undefined, is: number): readonly string[] {
  return most === undefined || is <= most
    ? []
    : [`the policy allows ${most} ${what} a run, and it is ${is} (rule ${rule})`];
}

function removed(targets: Change['targets']): number {
  return targets.flatMap(({ steps }) => steps).reduce((sum, step) => sum + packagesRemoved(step), 0);
}
