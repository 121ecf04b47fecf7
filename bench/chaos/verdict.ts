import type { CheckRun } from '../../test/world.ts';
import type { Counted } from './change.ts';
import type { Mode, Trial } from './trial.ts';

export type Ended = 'applied' | 'rolled-back' | 'neither';

/** Everything that was looked at once a run had ended. Pure data. */
export interface Observed {
  readonly ended: Ended;
  readonly merged: boolean;
  readonly checks: readonly CheckRun[];
  /** Holders of locks, and runs that have not ended. */
  readonly locks: readonly string[];
  readonly hosts: readonly HostObserved[];
}

export interface HostObserved {
  readonly name: string;
  /** Lost power, or a full disk, in this run: systemd and apt may then have had to do a thing again. */
  readonly hit: boolean;
  readonly before: Counted;
  readonly after: Counted;
  /** Paths that differ from before the run. */
  readonly differing: readonly string[];
}

export interface Verdict {
  readonly survived: boolean;
  readonly duplicated: readonly string[];
  readonly lost: readonly string[];
  readonly locks: readonly string[];
  readonly wrong: readonly string[];
}

/** What an undisturbed run does. */
export interface Reference {
  /** Paths that differ after an apply. */
  readonly paths: ReadonlySet<string>;
  readonly applied: Effects;
  readonly rolledBack: Effects;
}

export interface Effects {
  readonly starts: number;
  readonly transactions: number;
}

export function judge(
  trial: Pick<Trial, 'mode'>,
  wanted: { readonly name: string; readonly packaged: boolean },
  seen: Observed,
  reference: Reference,
): Verdict {
  const duplicated = seen.hosts.flatMap((host) => duplicates(host, seen.ended, reference));
  const lost = seen.hosts.flatMap((host) => losses(host, seen.ended, wanted, reference));
  const wrong = wrongChecks(seen, trial.mode);
  const survived =
    seen.ended !== 'neither' && [duplicated, lost, seen.locks, wrong].every((found) => found.length === 0);
  return { survived, duplicated, lost, locks: seen.locks, wrong };
}

/** More often than an undisturbed run does it. */
function duplicates(
  { name, hit, before, after }: HostObserved,
  ended: Ended,
  reference: Reference,
): readonly string[] {
  const most = ended === 'applied' ? reference.applied : reference.rolledBack;
  const over = (what: string, times: number, atMost: number): readonly string[] =>
    times > atMost ? [`${name}: ${what} ${times} times instead of ${atMost}`] : [];
  return [
    ...over('applied', after.applied, 1),
    ...over('undone', after.undone, 1),
    ...(hit ? [] : over('started the service', after.starts - before.starts, most.starts)),
    ...(hit ? [] : over('changed the package', after.transactions - before.transactions, most.transactions)),
  ];
}

/** What ought to be there, or ought to be as before, and is not. */
function losses(
  { name, before, after, differing }: HostObserved,
  ended: Ended,
  wanted: { readonly name: string; readonly packaged: boolean },
  reference: Reference,
): readonly string[] {
  const unless = (holds: boolean, what: string): readonly string[] => (holds ? [] : [`${name}: ${what}`]);
  if (ended === 'applied')
    return [
      ...unless(after.content === wanted.name, `the file says ${JSON.stringify(after.content)}`),
      ...unless(
        after.applied - after.undone === 1,
        `the effect is there ${after.applied - after.undone} times`,
      ),
      ...unless(
        after.packaged === wanted.packaged,
        `the package is ${after.packaged ? '' : 'not '}installed`,
      ),
      ...unless(after.active, 'the service does not run'),
      ...differing
        .filter((path) => !reference.paths.has(path))
        .map((path) => `${name}: ${path} was changed as well`),
    ];
  return [
    ...unless(after.applied === after.undone, `the effect is there ${after.applied - after.undone} times`),
    ...unless(after.packaged === before.packaged, 'the package is not as before'),
    ...unless(after.active, 'the service does not run'),
    ...differing.map((path) => `${name}: ${path} is not as before`),
  ];
}

/** Every check is final, and says what is so. */
function wrongChecks({ ended, merged, checks, hosts }: Observed, mode: Mode): readonly string[] {
  const said = (name: string) => checks.findLast((check) => check.name === name);
  const open = checks
    .filter(({ status }) => status !== 'completed')
    .map(({ name }) => `${name} is not final`);
  const apply = said('doaas/apply');
  const verify = said('doaas/verify');
  const is = (holds: boolean, what: string): readonly string[] => (holds ? [] : [what]);
  const shown = `${apply?.conclusion}: ${apply?.title}`;
  const untouched = apply?.conclusion === 'neutral' && /^Not applied/.test(apply.title);
  const putBack = apply?.conclusion === 'failure' && /restored as before|rolled back/i.test(apply.title);
  if (ended === 'applied')
    return [
      ...open,
      ...is(apply?.conclusion === 'success' && /^Applied /.test(apply.title), `doaas/apply says ${shown}`),
      ...is(verify?.conclusion === 'success', `doaas/verify says ${verify?.conclusion}: ${verify?.title}`),
      ...is(merged, 'applied and not merged'),
      ...is(mode === 'apply', 'applied although its probe fails'),
    ];
  return [
    ...open,
    ...is(
      putBack || (untouched && hosts.every(({ after }) => after.applied === 0)),
      `doaas/apply says ${shown}`,
    ),
    ...is(verify?.conclusion !== 'success', 'doaas/verify says success'),
    ...is(!merged, 'rolled back and merged'),
  ];
}
