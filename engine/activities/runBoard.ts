import { oneLine, prose } from '../github/render/escape.ts';
import type { ApplyView, StoppedView, VerifyView, View, WaitingForLockView } from '../github/render/views.ts';
import { revertWords, withRevert } from './revertView.ts';
import { problemOf, stoppedHosts } from './rolloutView.ts';
import { applyView, hostRollbacks, type RunRecord, rollbackView, verifyView } from './runViews.ts';
import type { CheckState } from './show.ts';
import type { RunPhase } from './types.ts';

/** Characters: what differs from the approved plan is in it. */
const STALE_REASON_MAX = 1_000;

/** The same in a title. Characters. */
const TITLE_REASON_MAX = 120;

const RUNNING: CheckState = { status: 'in_progress' };
const GOOD: CheckState = { status: 'completed', conclusion: 'success' };
const BAD: CheckState = { status: 'completed', conclusion: 'failure' };
const ASKING: CheckState = { status: 'completed', conclusion: 'action_required' };
const NEUTRAL: CheckState = { status: 'completed', conclusion: 'neutral' };

export type Words = { readonly kind: 'words'; readonly title: string; readonly body: string };

const DECIDE: StoppedView['ways'] = [
  { command: '/doaas rollback', effect: 'puts back all that this run touched' },
  { command: '/doaas cancel keep', effect: 'leaves the servers as they are now; nothing is merged' },
];
const AFTER_KEEPING: StoppedView['ways'] = [
  { command: '/doaas unlock', effect: 'frees the servers; what was done stays' },
  { command: '/doaas plan', effect: 'then shows what is still to do' },
];
const AFTER_DEATH: StoppedView['ways'] = [
  { command: '/doaas apply', effect: 'undoes what is there first, and then applies the plan anew' },
  { command: '/doaas status', effect: 'says which runs have ended, and which have not' },
];
const AFTER_MERGED_DEATH: StoppedView['ways'] = [
  {
    command: '/doaas apply',
    effect: 'on any other pull request that changes these servers undoes what is there first',
  },
  { command: '/doaas status', effect: 'says which runs have ended, and which have not' },
];
const WAYS = {
  asking: DECIDE,
  kept: AFTER_KEEPING,
  dead: AFTER_DEATH,
} as const satisfies Record<StoppedView['state'], StoppedView['ways']>;

const BEFORE_VERIFY: Words = {
  kind: 'words',
  title: 'Verifying',
  body: 'Fresh facts must leave nothing to change, and every declared probe must pass.',
};

/** What a phase makes of the two checks and the comment. */
export interface Board {
  readonly apply: { readonly state: CheckState; readonly view: View | Words };
  readonly verify?: { readonly state: CheckState; readonly view: View | Words };
  readonly comment?: View;
}

export function boardOf(waiting: WaitingForLockView | undefined, record: RunRecord, phase: RunPhase): Board {
  const verify = verifyView(record);
  switch (phase.kind) {
    case 'waiting': {
      const view = waiting ?? { kind: 'waiting-for-lock', holders: [] };
      return { apply: { state: { status: 'queued' }, view }, comment: view };
    }
    case 'recovering':
      return words(
        RUNNING,
        'Recovering',
        'An earlier run ended without cleaning up; what it left is undone first.',
      );
    case 'comparing':
      return words(
        RUNNING,
        'Comparing the servers with the plan',
        'Fresh facts must give the plan that was approved. A server that does not answer is waited for.',
      );
    case 'applying': {
      const view = applyView(record, 'running');
      return { apply: { state: RUNNING, view }, comment: view };
    }
    case 'verifying': {
      const view = applyView(record, 'applied');
      return {
        apply: { state: GOOD, view },
        verify: { state: RUNNING, view: verify ?? BEFORE_VERIFY },
        comment: verify ?? view,
      };
    }
    case 'merging':
      return {
        apply: { state: GOOD, view: applyView(record, 'applied') },
        ...(verify === undefined ? {} : { verify: { state: GOOD, view: verify } }),
      };
    case 'applied':
      return applied(record, phase);
    case 'rolling-back': {
      const view = rollbackView(record, 'running', phase.reason);
      return { apply: { state: RUNNING, view }, ...verifyOf(record, 'rolled-back'), comment: view };
    }
    case 'rolled-back': {
      const view = withRevert(rollbackView(record, 'rolled-back', phase.reason), phase.revert);
      return { apply: { state: BAD, view }, ...verifyOf(record, 'rolled-back'), comment: view };
    }
    case 'asking': {
      const view = stoppedView(record, 'asking', phase.reason, phase.until);
      return { apply: { state: ASKING, view }, ...verifyOf(record, 'stopped'), comment: view };
    }
    case 'needs-recovery': {
      const view = deadView(record, phase);
      return { apply: { state: BAD, view }, ...verifyOf(record, 'stopped'), comment: view };
    }
    case 'held': {
      if (phase.kept === true) {
        const view = stoppedView(record, 'kept', phase.reason);
        return { apply: { state: BAD, view }, ...verifyOf(record, 'stopped'), comment: view };
      }
      const view: View = {
        kind: 'held',
        reason: [phase.reason, ...phase.remains, ...revertWords(phase.revert)].join('\n'),
        hosts: hostRollbacks(record),
        ways: [
          { command: '/doaas unlock', effect: 'frees the servers, once somebody has looked at what remains' },
          { command: '/doaas status', effect: 'says which servers are held' },
        ],
      };
      return { apply: { state: BAD, view }, ...verifyOf(record, 'stopped'), comment: view };
    }
    case 'stale':
      return words(
        NEUTRAL,
        `${phase.revert === undefined ? 'Not applied' : 'Not applied, though merged'}: ${oneLine(phase.reason, TITLE_REASON_MAX)}`,
        // it may hold words of servers
        [`${prose(phase.reason, STALE_REASON_MAX)}. Nothing was changed.`, ...revertWords(phase.revert)].join(
          ' ',
        ),
      );
  }
}

function stoppedView(
  record: RunRecord,
  state: StoppedView['state'],
  reason: string,
  until?: string,
): StoppedView {
  const hosts = stoppedHosts(record);
  const limit = until === undefined ? {} : { until };
  return { kind: 'stopped', state, reason, ...limit, hosts, ways: WAYS[state] };
}

function deadView(
  record: RunRecord,
  { reason, merged, revert }: Extract<RunPhase, { kind: 'needs-recovery' }>,
): StoppedView {
  const view = stoppedView(record, 'dead', reason);
  if (merged === undefined) return view;
  return { ...view, merged: { revertPull: revert }, ways: AFTER_MERGED_DEATH };
}

function applied(record: RunRecord, phase: Extract<RunPhase, { kind: 'applied' }>): Board {
  const { leftOut } = phase;
  const view: ApplyView = {
    ...applyView(record, 'applied', { sha: phase.mergeSha, differs: phase.differs }),
    ...(leftOut === undefined ? {} : { leftOut: leftOut.map(problemOf) }),
  };
  const verify = verifyView(record);
  return {
    apply: { state: phase.differs || leftOut !== undefined ? NEUTRAL : GOOD, view },
    ...(verify === undefined ? {} : { verify: { state: GOOD, view: verify } }),
    comment: view,
  };
}

/** Of a run that did not come to a good end: what was found good before is no promise of how the servers are now. */
function verifyOf(
  record: RunRecord,
  since: NonNullable<VerifyView['since']>,
): Pick<Board, 'verify'> | Record<string, never> {
  const view = verifyView(record);
  if (view === undefined) return {};
  return view.state === 'verified'
    ? { verify: { state: NEUTRAL, view: { ...view, since } } }
    : { verify: { state: BAD, view } };
}

function words(state: CheckState, title: string, body: string): Board {
  return { apply: { state, view: { kind: 'words', title, body } } };
}

/** Between two phases. `proving`: its steps are done, and what verify found so far is shown. */
export function boardBetween(record: RunRecord, proving: boolean): Board {
  const verify = verifyView(record);
  if (verify === undefined || !proving)
    return { apply: { state: RUNNING, view: applyView(record, 'running') } };
  return {
    apply: { state: GOOD, view: applyView(record, 'applied') },
    verify: { state: RUNNING, view: verify },
  };
}
