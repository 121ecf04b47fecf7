import { createHash } from 'node:crypto';
import type { Difference, PathState } from '../../lab/compare.ts';
import type { CheckRun } from '../../test/world.ts';
import { type Counted, contentOf, NAME, type Wanted } from './change.ts';
import type { Mode, Trial } from './trial.ts';

/** `neither`: it did not end in time, or a person is needed. */
export type Ended = 'applied' | 'rolled-back' | 'taken-back' | 'neither';

/** Everything that was looked at once a run had ended. Pure data. */
export interface Observed {
  readonly ended: Ended;
  readonly merged: boolean;
  readonly checks: readonly CheckRun[];
  /** Of the pull request that reverts it, if there is one. */
  readonly revertChecks: readonly CheckRun[];
  /** The engine's one comment on the pull request. */
  readonly comment: string;
  /** Holders of locks, runs and workflows that have not ended, servers in need of recovery. */
  readonly locks: readonly string[];
  readonly hosts: readonly HostObserved[];
}

export interface HostObserved {
  readonly name: string;
  /** In this run: systemd starts the service at boot, and dpkg may have had to do a thing again. */
  readonly lostPower: boolean;
  readonly before: Counted;
  readonly after: Counted;
  /** Between before the run and after it: the whole state of each path. */
  readonly differences: readonly Difference[];
}

export interface Verdict {
  readonly survived: boolean;
  readonly duplicated: readonly string[];
  readonly lost: readonly string[];
  readonly locks: readonly string[];
  readonly wrong: readonly string[];
}

/** What an undisturbed run with the same change did, and said. */
export interface Reference {
  /** State of each path that it changed, as `statesOf` gives it; none where all was put back. */
  readonly paths: ReadonlyMap<string, string>;
  readonly effects: Effects;
  /** By name of the check; and `comment`. */
  readonly said: ReadonlyMap<string, string>;
}

export interface Effects {
  readonly starts: number;
  readonly transactions: number;
}

/** `reference`: of an undisturbed run that ended in the same way. */
export function judge(
  { mode }: Pick<Trial, 'mode'>,
  wanted: Wanted,
  seen: Observed,
  reference: Reference,
): Verdict {
  const duplicated = seen.hosts.flatMap((host) => duplicates(host, reference.effects));
  const lost = seen.hosts.flatMap((host) => [
    ...losses(host, seen.ended, wanted),
    ...wrongPaths(host, wanted.name, reference.paths),
  ]);
  const wrong = [...endOf(seen, mode), ...wrongChecks(seen, reference)];
  const survived = [duplicated, lost, seen.locks, wrong].every((found) => found.length === 0);
  return { survived, duplicated, lost, locks: seen.locks, wrong };
}

export function referenceOf(name: string, { hosts, checks, comment }: Observed): Reference {
  const most = (of: (host: HostObserved) => number): number => Math.max(...hosts.map(of));
  const [first, ...others] = hosts.map(({ differences }) => statesOf(differences, name));
  for (const other of others) {
    const unlike = unlikePaths(first ?? new Map(), other);
    if (unlike.length > 0)
      throw new Error(`an undisturbed run left servers that differ: ${unlike.join('; ')}`);
  }
  return {
    paths: first ?? new Map(),
    effects: {
      starts: most(({ before, after }) => after.starts - before.starts),
      transactions: most(({ before, after }) => after.transactions - before.transactions),
    },
    said: new Map([
      ...checks.map((check) => [check.name, said(check)] as const),
      ['comment', nameless(comment)],
    ]),
  };
}

/** More often than an undisturbed run does it. */
function duplicates({ name, lostPower, before, after }: HostObserved, most: Effects): readonly string[] {
  const over = (what: string, times: number, atMost: number): readonly string[] =>
    times > atMost ? [`${name}: ${what} ${times} times instead of ${atMost}`] : [];
  return [
    ...over('applied', after.applied, 1),
    ...over('undone', after.undone, 1),
    ...(lostPower ? [] : over('started the service', after.starts - before.starts, most.starts)),
    ...(lostPower
      ? []
      : over('changed the package', after.transactions - before.transactions, most.transactions)),
  ];
}

/** What ought to be there, or ought to be as before, and is not. */
function losses({ name, before, after }: HostObserved, ended: Ended, { change }: Wanted): readonly string[] {
  const applied = ended === 'applied';
  const packaged = applied ? change === 'install' : before.packaged;
  const times = after.applied - after.undone;
  return [
    ...unless(times === (applied ? 1 : 0), `${name}: the effect is there ${times} times`),
    ...unless(
      after.packaged === packaged,
      `${name}: the package is ${after.packaged ? '' : 'not '}installed`,
    ),
    ...unless(after.active, `${name}: the service does not run`),
    ...after.units.map((unit) => `${name}: a unit is left: ${unit}`),
  ];
}

/** Every path is as an undisturbed run leaves it: type, content, mode, owner, attributes, links. */
function wrongPaths(
  { name, differences }: HostObserved,
  run: string,
  reference: ReadonlyMap<string, string>,
): readonly string[] {
  return unlikePaths(reference, statesOf(differences, run)).map((what) => `${name}: ${what}`);
}

function unlikePaths(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return paths.flatMap((path) => {
    const [want, is] = [expected.get(path), found.get(path)];
    if (want === is) return [];
    if (want === undefined) return [`${path} was changed as well, and is ${is}`];
    return [`${path} is ${is ?? 'as before'} instead of ${want}`];
  });
}

/** After the run, by path; the run's own name in a content is taken for any other's. */
export function statesOf(differences: readonly Difference[], run: string): ReadonlyMap<string, string> {
  const own = createHash('sha256').update(contentOf(run)).digest('hex');
  const text = (state: PathState | undefined): string =>
    state === undefined
      ? 'absent'
      : JSON.stringify({ ...state, ...(state.sha256 === own ? { sha256: 'of the name' } : {}) });
  return new Map(differences.map(({ path, after }) => [path, text(after)]));
}

/** It ended as it may, and its pull request with it. */
function endOf({ ended, merged }: Observed, mode: Mode): readonly string[] {
  const may: Readonly<Record<Mode, readonly Ended[]>> = {
    plan: ['applied', 'rolled-back'],
    apply: ['applied', 'rolled-back'],
    rollback: ['rolled-back'],
    'take-back': ['taken-back'],
  };
  return [
    ...unless(may[mode].includes(ended), `it ended as ${ended}`),
    ...unless(ended !== 'applied' || merged, 'applied and not merged'),
    ...unless(ended !== 'rolled-back' || !merged, 'rolled back and merged'),
  ];
}

/** Every check is final, and says what is so. */
function wrongChecks(seen: Observed, reference: Reference): readonly string[] {
  const { checks, revertChecks, ended } = seen;
  const open = [...checks, ...revertChecks].filter(({ status }) => status !== 'completed');
  const names = ended === 'rolled-back' ? BEFORE_APPLY : [...BEFORE_APPLY, ...OF_APPLY];
  return [
    ...open.map(({ name }) => `${name} is not final`),
    ...names.flatMap((name) => unlikeSaid(name, last(checks, name), reference)),
    ...(ended === 'rolled-back' ? wrongPutBack(seen) : wrongComment(seen, reference)),
    ...revertChecks
      .filter(({ conclusion }) => conclusion === 'failure')
      .map(({ name, title }) => `the revert's ${name} says ${title}`),
  ];
}

const BEFORE_APPLY = ['doaas/validate', 'doaas/plan'] as const;
const OF_APPLY = ['doaas/apply', 'doaas/verify'] as const;

function unlikeSaid(name: string, check: CheckRun | undefined, { said: expected }: Reference) {
  const is = check === undefined ? 'nothing' : said(check);
  return unless(is === expected.get(name), `${name} says ${is} instead of ${expected.get(name)}`);
}

/** Why it was put back depends on the fault; that it was is to be said in the check and the comment. */
function wrongPutBack({ checks, comment, hosts }: Observed): readonly string[] {
  const apply = last(checks, 'doaas/apply');
  const verify = last(checks, 'doaas/verify');
  const untouched = apply?.conclusion === 'neutral' && /^Not applied/.test(apply.title);
  const putBack = apply?.conclusion === 'failure' && /restored as before|rolled back/i.test(apply.title);
  const undone = hosts.every(({ after }) => after.applied === 0);
  return [
    ...unless(putBack || (untouched && undone), `doaas/apply says ${apply?.conclusion}: ${apply?.title}`),
    ...unless(verify?.conclusion !== 'success', 'doaas/verify says success'),
    ...unless(!/Applied|Applying|Rolling back/.test(comment), `the comment says ${comment.slice(0, 300)}`),
  ];
}

function wrongComment({ comment }: Observed, { said: expected }: Reference): readonly string[] {
  const is = nameless(comment);
  return unless(
    is === expected.get('comment'),
    `the comment says ${is} instead of ${expected.get('comment')}`,
  );
}

function last(checks: readonly CheckRun[], name: string): CheckRun | undefined {
  return checks.findLast((check) => check.name === name);
}

function said({ conclusion, title }: CheckRun): string {
  return `${conclusion}: ${nameless(title)}`;
}

/** Without what differs from run to run: its name, commits and digests, runs, numbers of pull requests, times, durations. */
export function nameless(text: string): string {
  return text
    .replace(NAME, 'NAME')
    .replace(/\bpr\d+-[0-9a-f]+\b/g, 'RUN')
    .replace(/#\d+/g, '#N')
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, 'TIME')
    .replace(/\b[0-9a-f]{4,64}\b/g, 'HASH')
    .replace(/\b\d+(\.\d+)? (s|min)\b/g, 'SECONDS');
}

function unless(holds: boolean, what: string): readonly string[] {
  return holds ? [] : [what];
}
