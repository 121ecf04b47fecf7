import { BUTTONS } from '../github/checks.ts';
import type { GitHubClient } from '../github/client.ts';
import type { RollbackView, View, WaitingForLockView } from '../github/render/views.ts';
import { type Engine, planNamed } from './engine.ts';
import { permanent } from './failure.ts';
import {
  applyView,
  hostRollbacks,
  type RunDetail,
  type RunRecord,
  rollbackView,
  verifyView,
} from './runViews.ts';
import { type CheckState, showCheck, showComment } from './show.ts';
import type { RunPhase, RunRef } from './types.ts';

const RUNNING: CheckState = { status: 'in_progress' };
const GOOD: CheckState = { status: 'completed', conclusion: 'success' };
const BAD: CheckState = { status: 'completed', conclusion: 'failure' };
const NEUTRAL: CheckState = { status: 'completed', conclusion: 'neutral' };

type Words = { readonly kind: 'words'; readonly title: string; readonly body: string };

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
  stopProgress(run.run);
  const record = await readRecord(engine, run);
  await publish(engine, run, boardOf(await waitingView(engine, phase), record, phase));
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
  return view.kind === 'apply' || (view.kind === 'words' && !over);
}

function comment(engine: Engine, client: GitHubClient, run: RunRef, view: View): Promise<void> {
  return showComment(client, run.pull, view, [], planNamed(engine, run.plan));
}

function boardOf(waiting: WaitingForLockView | undefined, record: RunRecord, phase: RunPhase): Board {
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
    case 'held': {
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

function withRevert(view: RollbackView, revert: number | undefined): RollbackView {
  return revert === undefined ? view : { ...view, revertPull: revert };
}

/** The branch says what the servers are not, and how that ends. */
function revertWords(revert: number | undefined): readonly string[] {
  return revert === undefined
    ? []
    : [
        `It is merged, so the branch says what the servers are not; the revert is in pull request #${revert}.`,
      ];
}

function applied(record: RunRecord, phase: Extract<RunPhase, { kind: 'applied' }>): Board {
  const view = applyView(record, 'applied', { sha: phase.mergeSha, differs: phase.differs });
  const verify = verifyView(record);
  return {
    apply: { state: phase.differs ? NEUTRAL : GOOD, view },
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

async function waitingView(engine: Engine, phase: RunPhase): Promise<WaitingForLockView | undefined> {
  if (phase.kind !== 'waiting') return undefined;
  const locks = await engine.store.locks.list();
  const holders = phase.behind.split(', ').map((holder) => {
    const held = locks.filter((lock) => lock.pull === holder);
    const since = Math.min(...held.map((lock) => lock.takenAt), Date.now());
    return {
      holder,
      hosts: held.map((lock) => lock.host.split(' ')[0] ?? ''),
      sinceSeconds: (Date.now() - since) / 1000,
    };
  });
  return { kind: 'waiting-for-lock', holders };
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

/** A running check is updated at most this often: GitHub allows 80 writes a minute. */
const PROGRESS_MS = 2_500;

/** Runs of this process whose next update is due; a phase that is published overtakes it. */
const due = new Map<string, NodeJS.Timeout>();

/** Call it as often as anything happens; the checks follow at a bounded rate, and a failure to publish is no failure. */
export function progressOf(engine: Engine, run: RunRef): () => void {
  return () => {
    if (due.has(run.run)) return;
    const timer = setTimeout(() => {
      publishProgress(engine, run).catch((error: unknown) =>
        engine.log.warn({ error: String(error) }, 'progress not shown'),
      );
    }, PROGRESS_MS);
    due.set(run.run, timer);
  };
}

async function publishProgress(engine: Engine, run: RunRef): Promise<void> {
  const record = await readRecord(engine, run);
  const verify = verifyView(record);
  if (!due.delete(run.run)) return;
  const undoing = record.receipts.some((receipt) => receipt.state === 'undone');
  if (undoing) return;
  const board: Board =
    verify === undefined
      ? { apply: { state: RUNNING, view: applyView(record, 'running') } }
      : {
          apply: { state: GOOD, view: applyView(record, 'applied') },
          verify: { state: RUNNING, view: verify },
        };
  await publish(engine, run, board);
}

function stopProgress(run: string): void {
  clearTimeout(due.get(run));
  due.delete(run);
}
