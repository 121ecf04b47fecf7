import type { OtherCheck } from '../github/otherChecks.ts';
import type { PolicyApproval, PolicyRule, PolicySpec, PolicyWindow } from '../spec/types.generated.ts';
import { judgeApproval, mayWrite, teamsFor } from './approvals.ts';
import { sayAside } from './aside.ts';
import { freezeAt, isOpen, opensAt } from './calendar.ts';
import { type Change, changedOf, packagesRemoved } from './change.ts';
import { coversAll, type MatchedRule, matchedRules } from './match.ts';
import { sayWho, whoMay } from './people.ts';
import { startersOf } from './starting.ts';

/** One thing that a rule asks for, and how it stands. */
export interface Ask {
  /** Undefined: it holds without a rule. */
  readonly rule: string | undefined;
  readonly kind: 'state' | 'objection' | 'approval' | 'check' | 'window' | 'limit';
  /** What is asked, for people. */
  readonly asks: string;
  /** What is missing and who can give it; undefined when it is given. */
  readonly missing: string | undefined;
}

export interface Verdict {
  readonly ready: boolean;
  /** Sentences: what is missing and who can give it. */
  readonly missing: readonly string[];
  /** What would be missing, had nobody taken it away. */
  readonly lifted: readonly string[];
  readonly approvedBy: readonly string[];
  /** With the trigger `approval`: whose approval begins it. Missing in what older engines kept. */
  readonly starters?: readonly string[];
  readonly asks: readonly Ask[];
  readonly rules: readonly Pick<MatchedRule, 'name' | 'because'>[];
  /** Only windows are missing: epoch ms at which all of them are open. */
  readonly opensAt: number | undefined;
  /** Outside of which nothing may be changed; none where they were taken away. */
  readonly windows: readonly PolicyWindow[];
  readonly waitsForChecks: boolean;
}

/** Without a policy, and where no rule that matches says how many: one, by anybody else with write access. */
const DEFAULT_APPROVALS: readonly PolicyApproval[] = [{}];

/** What each way of taking something away takes. A broken glass skips what is waited for, and nothing else. */
const LIFTS: Readonly<Record<Change['lifted'], readonly Ask['kind'][]>> = {
  nothing: [],
  override: ['check', 'window', 'limit'],
  'break-glass': ['objection', 'approval', 'check', 'window'],
};

/** Is the change ready to be applied; if not, what is missing and who can give it. `spec`: of the default branch. */
export function judge(spec: PolicySpec | undefined, change: Change): Verdict {
  const rules = matchedRules(spec?.rules ?? {}, change);
  const approvals = approvalsOf(rules, change).map(({ rule, approval }) => ({
    rule,
    ...judgeApproval(approval, change, rule),
  }));
  const asks: readonly Ask[] = [
    ...stateAsks(change),
    ...objections(change),
    ...approvals.map(({ by: _, ...ask }) => ({ ...ask, kind: 'approval' as const })),
    ...rules.flatMap(({ name, rule }) => [
      ...checkAsks(name, rule, change),
      ...windowAsks(name, rule, change),
      ...limitAsks(name, rule, change, spec),
    ]),
  ];
  const open = asks.filter(({ missing }) => missing !== undefined);
  const left = open.filter(({ kind }) => !LIFTS[change.lifted].includes(kind));
  return {
    ready: left.length === 0,
    missing: sentences(left),
    lifted: sentences(open.filter((ask) => !left.includes(ask))),
    approvedBy: [...new Set(approvals.flatMap(({ by }) => by))],
    starters: spec?.trigger === 'approval' ? startersOf(spec, change) : [],
    asks: asks.slice(0, ASKS_MAX),
    rules: rules.map(({ name, because }) => ({ name, because })),
    opensAt: opening(left, rules, change),
    windows: LIFTS[change.lifted].includes('window') ? [] : windowsOf(rules),
    waitsForChecks: left.some(({ kind }) => kind === 'check'),
  };
}

/** Nothing can be judged: shut, and why. */
export function closed(reason: string): Verdict {
  const ask: Ask = { rule: undefined, kind: 'state', asks: 'a policy that can be read', missing: reason };
  return {
    ready: false,
    missing: [reason],
    lifted: [],
    approvedBy: [],
    asks: [ask],
    rules: [],
    opensAt: undefined,
    windows: [],
    waitsForChecks: false,
  };
}

type Matchable = Pick<Change, 'targets' | 'paths' | 'codeowners'>;

/** Teams that must be known before a change can be judged. */
export function teamsToRead(
  spec: PolicySpec | undefined,
  change: Matchable,
  organisation: string,
): readonly string[] {
  const rules = matchedRules(spec?.rules ?? {}, change);
  const starters = spec?.trigger === 'approval' ? (spec.people?.apply?.teams ?? []) : [];
  return [
    ...approvalsOf(rules, change).flatMap(({ approval }) => teamsFor(approval, change, organisation)),
    ...starters,
  ];
}

export function wantsChecks(spec: PolicySpec | undefined, change: Matchable): boolean {
  return matchedRules(spec?.rules ?? {}, change).some(({ rule }) => rule.checks !== undefined);
}

/**
 * What all rules ask for together. `approvals: []` says that none is needed, and only of a change of which nothing is outside
 * of that rule: one free file would free all that comes with it.
 */
function approvalsOf(rules: readonly MatchedRule[], change: Pick<Change, 'targets' | 'paths'>) {
  const asked = rules.flatMap(({ name, rule }) =>
    (rule.approvals ?? []).map((approval) => ({ rule: name, approval })),
  );
  const free = rules.some(({ rule }) => rule.approvals?.length === 0 && coversAll(rule.match ?? {}, change));
  if (asked.length > 0 || free) return asked;
  return DEFAULT_APPROVALS.map((approval) => ({ rule: undefined, approval }));
}

/** Asks that are shown. */
const ASKS_MAX = 100;
/** Sentences that are said; they go into checks, histories and the store. */
const SENTENCES_MAX = 50;
/** Of one; a path alone may have 4,096. Characters. */
const SENTENCE_MAX = 1_000;

function sentences(asks: readonly Ask[]): readonly string[] {
  const all = [...new Set(asks.flatMap(({ missing }) => missing?.slice(0, SENTENCE_MAX) ?? []))];
  const more = all.length - SENTENCES_MAX;
  return more > 0 ? [...all.slice(0, SENTENCES_MAX), `and ${more} more`] : all;
}

function stateAsks(change: Change): readonly Ask[] {
  const ask = (asks: string, missing: string | undefined): Ask => ({
    rule: undefined,
    kind: 'state',
    asks,
    missing,
  });
  return [
    ...(change.superseded
      ? [ask('the newest head', 'a newer commit was pushed; it needs a plan of its own')]
      : []),
    ...(change.open ? [] : [ask('an open pull request', 'the pull request must be open')]),
    ...(change.fork && !change.vouched
      ? [
          ask(
            'a branch of this repository',
            `pull requests from forks are validated only; somebody with write access who has read it may say \`plan ${change.headSha}\``,
          ),
        ]
      : []),
    ...(change.aside === undefined ? [] : [ask('the default branch as its base', sayAside(change.aside))]),
    ...(change.strayed ? [ask('a plan for the branch that it was merged into', STRAYED)] : []),
    ...change.unmergeable.map((why) => ask('a merge that GitHub takes', why)),
    ...(change.draft ? [ask('no draft', 'the pull request is a draft; mark it as ready for review')] : []),
  ];
}

const STRAYED =
  'it was merged before it was planned for that branch: the plan that was judged is for the base that it had before';

const UNSEEN =
  'there are more reviews than are read, so a newer request for changes would not be seen; close this pull request and open a new one';

function objections({ reviews, reviewsCut }: Change): readonly Ask[] {
  const ask = (missing: string): Ask => ({
    rule: undefined,
    kind: 'objection',
    asks: 'no standing request for changes',
    missing,
  });
  const standing = reviews.filter((review) => review.state === 'changes-requested' && mayWrite(review));
  return [
    ...standing.map(({ reviewer }) =>
      ask(`${reviewer} requests changes; an approval by them or a dismissal settles it`),
    ),
    ...(reviewsCut ? [ask(UNSEEN)] : []),
  ];
}

/** Why the check is not known to be green; undefined where it is. */
function notGreen(runs: readonly OtherCheck[], cut: boolean): string | undefined {
  if (cut) return UNREAD;
  if (runs.some(({ state }) => state === 'red')) return 'it failed';
  if (runs.length === 0) return 'it has not begun';
  return runs.every(({ state }) => state === 'green') ? undefined : 'it runs';
}

const UNREAD =
  'the commit has more checks or statuses than are read, so this one is not known; push a new commit, which has none yet';

function checkAsks(rule: string, { checks = [] }: PolicyRule, change: Change): readonly Ask[] {
  return checks.map((check) => {
    const { name, app } = typeof check === 'string' ? { name: check, app: undefined } : check;
    const runs = change.checks.filter((run) => run.name === name && (app === undefined || run.app === app));
    const what = `the check ${name}${app === undefined ? '' : ` of the App ${app}`}`;
    const how = notGreen(runs, change.checksCut);
    const missing = how === undefined ? undefined : `${what} to be green (rule ${rule}; ${how})`;
    return { rule, kind: 'check', asks: `${what} is green`, missing };
  });
}

function windowAsks(rule: string, { window }: PolicyRule, change: Change): readonly Ask[] {
  if (window === undefined) return [];
  const asks = sayWindow(window);
  if (isOpen(window, change.now)) return [{ rule, kind: 'window', asks, missing: undefined }];
  const freeze = freezeAt(window, change.now);
  const frozen =
    freeze === undefined
      ? ''
      : `; frozen until ${freeze.to}${freeze.reason === undefined ? '' : `, ${freeze.reason}`}`;
  const next = opensAt([window], change.now);
  const when = next === undefined ? 'it does not open within 400 days' : `it opens ${minute(next)}`;
  return [
    { rule, kind: 'window', asks, missing: `the change window ${asks} (rule ${rule}${frozen}; ${when})` },
  ];
}

export function sayWindow({ days, hours, timeZone }: PolicyWindow): string {
  const when = [
    days?.join(' ') ?? 'every day',
    ...(hours === undefined ? [] : [`${hours.from}-${hours.to}`]),
  ];
  return `${when.join(' ')} ${timeZone}`;
}

/** `2026-11-26 09:00 UTC` */
export function minute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function limitAsks(
  rule: string,
  { limits }: PolicyRule,
  { targets }: Change,
  spec: PolicySpec | undefined,
): readonly Ask[] {
  const removed = targets.flatMap(({ steps }) => steps).reduce((sum, step) => sum + packagesRemoved(step), 0);
  const who = whoMay(spec, 'override');
  const way = who === undefined || who === 'nobody' ? '' : `, or ${sayWho(who)} overrides it with a reason`;
  const ask = (what: string, most: number | undefined, is: number): readonly Ask[] => {
    if (most === undefined) return [];
    const asks = `at most ${most} ${what}`;
    const missing =
      is <= most ? undefined : `${asks}, but it is ${is} (rule ${rule}); split the change${way}`;
    return [{ rule, kind: 'limit', asks, missing }];
  };
  return [
    ...ask('servers changed', limits?.hosts, changedOf(targets).length),
    ...ask('packages removed', limits?.packagesRemoved, removed),
  ];
}

/** When a gate opens that only windows keep shut. */
function opening(left: readonly Ask[], rules: readonly MatchedRule[], change: Change): number | undefined {
  if (left.length === 0 || left.some(({ kind }) => kind !== 'window')) return undefined;
  return opensAt(windowsOf(rules), change.now);
}

export function windowsOf(rules: readonly MatchedRule[]): readonly PolicyWindow[] {
  return rules.flatMap(({ rule }) => rule.window ?? []);
}
