import { BUTTONS } from '../github/checks.ts';
import type { GitHubClient } from '../github/client.ts';
import type { ApplyView, StoppedView, View, WaitingForLockView } from '../github/render/views.ts';
import { type Engine, planNamed } from './engine.ts';
import { permanent } from './failure.ts';
import { progressInterval } from './progressInterval.ts';
import { revertWords, withRevert } from './revertView.ts';
import { problemOf, stoppedHosts } from './rolloutView.ts';
import { keepDetail } from './runDetail.ts';
import {
  applyView,
  hostRollbacks,
  type RunDetail,
  type RunRecord,
  rollbackView,
  verifyView,
} from './runViews.ts';
import { type CheckState, showCheck, showComment } from './show.ts';
import { showCorrection } from './showCorrection.ts';
import type { RunPhase, RunRef } from './types.ts';
import { isShown, keepShown, waitingView } from './waiting.ts';

const RUNNING: CheckState = { status: 'in_progress' };
const GOOD: CheckState = { status: 'completed', conclusion: 'success' };
const BAD: CheckState = { status: 'completed', conclusion: 'failure' };
const ASKING: CheckState = { status: 'completed', conclusion: 'action_required' };
const NEUTRAL: CheckState = { status: 'completed', conclusion: 'neutral' };

const FINAL: ReadonlySet<RunPhase['kind']> = new Set(['applied', 'rolled-back', 'held', 'stale']);

type Words = { readonly kind: 'words'; readonly title: string; readonly body: string };

const DECIDE: StoppedView['ways'] = [
  { command: '/doaas rollback', effect: 'puts back all that this run touched' },
  { command: '/doaas cancel keep', effect: 'leaves the servers as they are now; nothing is merged' },
];
const AFTER_KEEPING: StoppedView['ways'] = [
  { command: '/doaas unlock', effect: 'frees the servers; what was done stays' },
  { command: '/doaas plan', effect: 'then shows what is still to do' },
];

const BEFORE_VERIFY: Words = {
  kind: 'words',
  title: 'Verifying',
  body: 'Fresh facts must leave nothing to change, and every declared probe must pass.',
};

/** What a phase makes of the two checks and the comment. */
interface Board {
  readonly apply: { readonly state: CheckState; readonly view: View | Words };
  readonly verify?: { readonly state: CheckState; readonly view: View | Words };
  readonly comment?: View;
}

/** Publishes where the run is: `doaas/apply`, `doaas/verify` and the comment. Safe to repeat. */
export async function showRun(engine: Engine, run: RunRef, phase: RunPhase): Promise<void> {
  if (run.correction !== undefined) return showCorrection(engine, run, phase);
  stopProgress(run.run);
  if (isShown(run.run, phase)) return;
  if (FINAL.has(phase.kind)) begun.delete(run.run);
  await keepDetail(engine, run, { phase });
  await keepProgress(engine, run, phase);
  const record = await readRecord(engine, run);
  await publish(engine, run, boardOf(await waitingView(engine, phase), record, phase));
  keepShown(run.run, phase);
}

/** How far the batches are, for the updates between two phases. Once all are done the whole fleet is verified. */
async function keepProgress(engine: Engine, run: RunRef, phase: RunPhase): Promise<void> {
  if (phase.kind === 'applying' && phase.rollout !== undefined)
    await keepDetail(engine, run, { rollout: phase.rollout });
  if (phase.kind !== 'verifying' || run.plan.rollout === undefined) return;
  const { rollout } = ((await engine.store.runs.get(run.run))?.detail ?? {}) as RunDetail;
  const at = run.plan.rollout.stages.length;
  if (rollout !== undefined) await keepDetail(engine, run, { rollout: { ...rollout, at, doing: 'proving' } });
}

async function publish(engine: Engine, run: RunRef, board: Board): Promise<void> {
  const client = await engine.github.installationClient(run.pull.repository.installationId);
  const { digest, url: planUrl } = planNamed(engine, run.plan);
  const check = { headSha: run.plan.headSha, externalId: run.run, digest, planUrl };
  const actions = canBeTakenBack(board) ? { actions: [BUTTONS.rollback] } : {};
  await Promise.all([
    showCheck(client, run.pull, { ...check, ...actions, name: 'doaas/apply', ...board.apply }),
    board.verify === undefined
      ? undefined
      : showCheck(client, run.pull, { ...check, name: 'doaas/verify', ...board.verify }),
    board.comment === undefined ? undefined : comment(engine, client, run, board.comment),
  ]);
}

/** While it runs, and once it is applied; not what is being or was taken back. */
function canBeTakenBack({ apply: { state, view } }: Board): boolean {
  const over = state.status === 'completed';
  const asks = view.kind === 'stopped' && view.state === 'asking';
  return asks || view.kind === 'apply' || (view.kind === 'words' && !over);
}

function comment(engine: Engine, client: GitHubClient, run: RunRef, view: View): Promise<void> {
  return showComment(client, run.pull, view, [], planNamed(engine, run.plan));
}

function boardOf(waiting: WaitingForLockView | undefined, record: RunRecord, phase: RunPhase): Board {
  const verify = verifyView(record);
  switch (phase.kind) {
    case 'waiting': {
      const view: WaitingForLockView = waiting ?? { kind: 'waiting-for-lock', holders: [] };
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
        'Fresh facts must give the plan that was approved.',
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
      return { apply: { state: RUNNING, view }, ...failedVerify(record), comment: view };
    }
    case 'rolled-back': {
      const view = withRevert(rollbackView(record, 'rolled-back', phase.reason), phase.revert);
      return { apply: { state: BAD, view }, ...failedVerify(record), comment: view };
    }
    case 'asking': {
      const view = stoppedView(record, 'asking', phase.reason, phase.until);
      return { apply: { state: ASKING, view }, ...failedVerify(record), comment: view };
    }
    case 'held': {
      if (phase.kept === true) {
        const view = stoppedView(record, 'kept', phase.reason);
        return { apply: { state: BAD, view }, ...failedVerify(record), comment: view };
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
      return { apply: { state: BAD, view }, ...failedVerify(record), comment: view };
    }
    case 'stale':
      return words(
        NEUTRAL,
        'Not applied: the plan no longer holds',
        [`${phase.reason}. Nothing was changed.`, ...revertWords(phase.revert)].join(' '),
      );
  }
}

function stoppedView(
  record: RunRecord,
  state: StoppedView['state'],
  reason: string,
  until?: string,
): StoppedView {
  const ways = state === 'asking' ? DECIDE : AFTER_KEEPING;
  const hosts = stoppedHosts(record);
  return { kind: 'stopped', state, reason, ...(until === undefined ? {} : { until }), hosts, ways };
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

function failedVerify(record: RunRecord): Pick<Board, 'verify'> | Record<string, never> {
  const view = verifyView(record);
  return view === undefined ? {} : { verify: { state: view.state === 'verified' ? GOOD : BAD, view } };
}

function words(state: CheckState, title: string, body: string): Board {
  return { apply: { state, view: { kind: 'words', title, body } } };
}

async function readRecord(engine: Engine, run: RunRef): Promise<RunRecord> {
  const [plan, receipts, stored] = await Promise.all([
    engine.store.plans.get(run.plan.digest),
    engine.store.receipts.ofRun(run.run),
    engine.store.runs.get(run.run),
  ]);
  if (plan === undefined || stored === undefined) throw permanent(`the run ${run.run} is not in the store`);
  const name = planNamed(engine, run.plan);
  return {
    plan,
    name,
    receipts,
    detail: stored.detail as RunDetail,
    startedAt: stored.startedAt,
    now: Date.now(),
  };
}

/** Runs of this process whose next update is due; a phase that is published overtakes it. */
const due = new Map<string, NodeJS.Timeout>();

/** When the first host of a run was worked on in this process, `performance.now()`: a run over many hosts is one run. */
const begun = new Map<string, number>();

/** What was last shown of a running run; showing the same again would only use up GitHub's limits. */
const shown = new Map<string, string>();

/** Call it as often as anything happens; the checks follow at a bounded rate, and a failure to publish is no failure. */
export function progressOf(engine: Engine, run: RunRef): () => void {
  if (run.correction !== undefined) return () => undefined;
  const started = begun.get(run.run) ?? performance.now();
  begun.set(run.run, started);
  return () => {
    if (due.has(run.run)) return;
    const timer = setTimeout(
      () => {
        publishProgress(engine, run).catch((error: unknown) =>
          engine.log.warn({ error: String(error) }, 'progress not shown'),
        );
      },
      progressInterval(performance.now() - started),
    );
    due.set(run.run, timer);
  };
}

async function publishProgress(engine: Engine, run: RunRef): Promise<void> {
  const record = await readRecord(engine, run);
  const verify = verifyView(record);
  if (!due.delete(run.run) || !isMoving(record.detail.phase)) return;
  const failed = record.detail.rollout?.failed.map(({ host }) => host) ?? [];
  const undoing = record.receipts.some(({ state, host }) => state === 'undone' && !failed.includes(host));
  if (undoing) return;
  const { rollout } = record.detail;
  const between = rollout !== undefined && rollout.at < (run.plan.rollout?.stages.length ?? 0);
  const board: Board =
    verify === undefined || between
      ? { apply: { state: RUNNING, view: applyView(record, 'running') } }
      : {
          apply: { state: GOOD, view: applyView(record, 'applied') },
          verify: { state: RUNNING, view: verify },
        };
  const now = JSON.stringify(board);
  if (shown.get(run.run) === now) return;
  await publish(engine, run, board);
  shown.set(run.run, now);
  await giveWay(engine, run);
}

/** Between these phases and the next, steps and probes are told as they come. */
function isMoving(phase: RunPhase | undefined): boolean {
  return phase === undefined || phase.kind === 'applying' || phase.kind === 'verifying';
}

/** Another process may have published a later phase meanwhile: then this is not to be the last word. */
async function giveWay(engine: Engine, run: RunRef): Promise<void> {
  const record = await readRecord(engine, run);
  const { phase } = record.detail;
  if (phase !== undefined && !isMoving(phase)) await publish(engine, run, boardOf(undefined, record, phase));
}

function stopProgress(run: string): void {
  clearTimeout(due.get(run));
  due.delete(run);
  shown.delete(run);
}
