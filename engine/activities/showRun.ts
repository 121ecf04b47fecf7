import { BUTTONS } from '../github/checks.ts';
import type { GitHubClient } from '../github/client.ts';
import type { View } from '../github/render/views.ts';
import { defaultBranchOf } from '../github/repositories.ts';
import { type Engine, planNamed } from './engine.ts';
import { permanent } from './failure.ts';
import { allEnded, inOrder, isBusy } from './inOrder.ts';
import { restoreNotices } from './overrides.ts';
import { progressInterval } from './progressInterval.ts';
import { recent } from './recent.ts';
import { type Board, boardBetween, boardOf } from './runBoard.ts';
import { detailOf, keepDetail } from './runDetail.ts';
import { type RunDetail, type RunRecord, verifyView } from './runViews.ts';
import { showCheck, showComment } from './show.ts';
import { showCorrection } from './showCorrection.ts';
import type { RunPhase, RunRef } from './types.ts';
import { isSaid, saidOf, waitingView } from './waiting.ts';

const FINAL: ReadonlySet<RunPhase['kind']> = new Set([
  'applied',
  'rolled-back',
  'held',
  'stale',
  'needs-recovery',
]);

/** Publishes where the run is: `doaas/apply`, `doaas/verify` and the comment. Safe to repeat. */
export async function showRun(engine: Engine, run: RunRef, phase: RunPhase): Promise<void> {
  if (run.correction !== undefined) return showCorrection(engine, run, phase);
  stopProgress(run.run);
  if (isSaid(await detailOf(engine, run), phase)) return;
  if (FINAL.has(phase.kind)) {
    begun.delete(run.run);
    movedAt.delete(run.run);
  }
  await keepDetail(engine, run, { phase, said: undefined });
  await keepProgress(engine, run, phase);
  if (FINAL.has(phase.kind)) await keepDetail(engine, run, { unshown: phase });
  await inOrder(run.run, () => showPhase(engine, run, phase));
}

async function showPhase(engine: Engine, run: RunRef, phase: RunPhase): Promise<void> {
  if (phase.kind === 'applying' && phase.rollout !== undefined && justPublished(run.run))
    return progressOf(engine, run)();
  const record = await readRecord(engine, run);
  const board = boardOf(await waitingView(engine, phase), record, phase);
  await expectThere(engine, run);
  await publish(engine, run, board, FINAL.has(phase.kind) ? await witnessOf(engine) : undefined);
  if (phase.kind === 'waiting') await keepDetail(engine, run, { said: saidOf(phase) });
  if (phase.kind === 'merging') toldBeforeMerge.set(run.run, true);
  if (!FINAL.has(phase.kind)) return;
  if (run.context?.override !== undefined) await restoreNotices(engine, run.pull);
  publishedAt.delete(run.run);
  await keepDetail(engine, run, { unshown: undefined });
}

/** What is told here is for its own repository, and for no other that took the name over. */
async function expectThere({ github }: Engine, { pull: { repository } }: RunRef): Promise<void> {
  if (repository.id === undefined) return;
  await defaultBranchOf(await github.installationClient(repository.installationId), repository);
}

/** How far the batches are, for the updates between two phases. Once all are done the whole fleet is verified. */
async function keepProgress(engine: Engine, run: RunRef, phase: RunPhase): Promise<void> {
  if (phase.kind === 'applying' && phase.rollout !== undefined)
    await keepDetail(engine, run, { rollout: phase.rollout });
  if (phase.kind !== 'verifying' || run.plan.rollout === undefined) return;
  const { rollout } = await detailOf(engine, run);
  const at = run.plan.rollout.stages.length;
  if (rollout !== undefined) await keepDetail(engine, run, { rollout: { ...rollout, at, doing: 'proving' } });
}

/** Runs of which this process has told GitHub, before the merge, that they are applied and verified. */
const toldBeforeMerge = recent<true>();

export function isToldBeforeMerge(run: string): boolean {
  return toldBeforeMerge.has(run);
}

/** When a run's checks were published last, `performance.now()`. */
const publishedAt = recent<number>();

/** Batches can be as quick as they are many; the next update shows where they are by then. */
function justPublished(run: string): boolean {
  const now = performance.now();
  return now - (publishedAt.get(run) ?? Number.NEGATIVE_INFINITY) < intervalOf(run, now);
}

function intervalOf(run: string, now: number): number {
  return progressInterval(now - (begun.get(run) ?? now), runsShownAt(now));
}

/** When something last happened in a run that is shown live, `performance.now()`. */
const movedAt = new Map<string, number>();
/** Nothing for this long, and a run takes no part of what GitHub allows. Milliseconds. */
const STILL_MS = 120_000;

/** How many runs this process shows live now. */
function runsShownAt(now: number): number {
  for (const [run, at] of movedAt) if (now - at > STILL_MS) movedAt.delete(run);
  return movedAt.size;
}

/** Outside of the store: a log that was cut, or made anew, does not have this hash. */
async function witnessOf({ store }: Engine): Promise<string> {
  return `Audit log up to here: \`${await store.audit.head()}\`; \`doaas audit --verify --expect\` takes it.`;
}

/** `text`: below the check of the apply. */
async function publish(engine: Engine, run: RunRef, board: Board, text?: string): Promise<void> {
  publishedAt.set(run.run, performance.now());
  const client = await engine.github.installationClient(run.pull.repository.installationId);
  const { digest, url: planUrl } = planNamed(engine, run.plan);
  const check = { headSha: run.plan.headSha, externalId: run.run, digest, planUrl };
  const actions = canBeTakenBack(board) ? { actions: [BUTTONS.rollback] } : {};
  const override = run.context?.override;
  await allEnded([
    showCheck(client, run.pull, {
      ...check,
      ...actions,
      ...(text === undefined ? {} : { text }),
      name: 'doaas/apply',
      ...board.apply,
      override,
    }),
    ...(board.verify === undefined
      ? []
      : [showCheck(client, run.pull, { ...check, name: 'doaas/verify', ...board.verify })]),
    ...(board.comment === undefined ? [] : [comment(engine, client, run, board.comment)]),
  ]);
}

/** While it runs, and once it is applied; not what is being or was taken back. */
function canBeTakenBack({ apply: { state, view } }: Board): boolean {
  const over = state.status === 'completed';
  const asks = view.kind === 'stopped' && view.state === 'asking';
  return asks || view.kind === 'apply' || (view.kind === 'words' && !over);
}

function comment(engine: Engine, client: GitHubClient, run: RunRef, view: View): Promise<void> {
  return showComment(client, run.pull, view, [], planNamed(engine, run.plan), run.context?.override);
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
const begun = recent<number>();

/** What was last shown of a running run; showing the same again would only use up GitHub's limits. */
const shown = recent<string>();

/** Call it as often as anything happens; the checks follow at a bounded rate, and a failure to publish is no failure. */
export function progressOf(engine: Engine, run: RunRef): () => void {
  if (run.correction !== undefined) return () => undefined;
  if (!begun.has(run.run)) begun.set(run.run, performance.now());
  return () => {
    movedAt.set(run.run, performance.now());
    if (due.has(run.run)) return;
    const timer = setTimeout(
      () => {
        publishProgress(engine, run).catch((error: unknown) =>
          engine.log.warn({ error: String(error) }, 'progress not shown'),
        );
      },
      intervalOf(run.run, performance.now()),
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
  const board = boardBetween(record, verify !== undefined && !between);
  const now = JSON.stringify(board);
  if (shown.get(run.run) === now) return;
  const client = await engine.github.installationClient(run.pull.repository.installationId);
  // what is left of GitHub's limits is for plans, merges and ends; the next update shows what this one leaves out
  if (!client.spare()) return progressOf(engine, run)();
  // at once before it waits in line: a phase that waits there already would be left out for it
  if (isBusy(run.run)) return;
  await inOrder(run.run, () => publish(engine, run, board));
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
  if (phase === undefined || isMoving(phase)) return;
  await inOrder(run.run, () => publish(engine, run, boardOf(undefined, record, phase)));
}

function stopProgress(run: string): void {
  clearTimeout(due.get(run));
  due.delete(run);
  shown.delete(run);
}
