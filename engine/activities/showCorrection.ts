import { publishComment } from '../github/comment.ts';
import { setClosed } from '../github/issues.ts';
import type { Beside } from '../github/render/remarks.ts';
import { renderComment } from '../github/render/render.ts';
import type { CorrectionView } from '../github/render/views.ts';
import { recordName } from '../github/workflowIds.ts';
import type { Plan } from '../plan/step.ts';
import { cancelledBy } from './cancelCorrection.ts';
import { FAILED_MAX, failedOf } from './correctionBounds.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { NO_PULL } from './planRef.ts';
import { recent } from './recent.ts';
import { detailOf } from './runDetail.ts';
import { toldOf } from './runViews.ts';
import { ifAllowed } from './show.ts';
import type { RunPhase, RunRef } from './types.ts';

/** What was said last of a run that waits: it asks for its place again and again. */
const told = recent<string>();

/**
 * Where a correction is: one comment on its issue, which is closed once nothing differs any more. On the way there is
 * nothing to press and nobody who waits, so only a queue and the end are shown. Safe to repeat.
 */
export async function showCorrection(engine: Engine, run: RunRef, phase: RunPhase): Promise<void> {
  const plan = await engine.store.plans.get(run.plan.digest);
  if (plan === undefined) throw permanent(`the plan ${run.plan.digest.slice(0, 8)} is not in the store`);
  const outcome = await outcomeOf(engine, run, plan, phase);
  if (outcome === undefined) return;
  const { repository, number } = run.pull;
  if (number === NO_PULL) {
    const document = run.correction?.document;
    engine.log.info({ run: run.run, document, outcome: outcome.kind }, 'a correction without an issue');
    return;
  }
  const client = await engine.github.installationClient(repository.installationId);
  const document = run.correction?.document ?? '';
  const changes = plan.hosts.flatMap(({ steps }) =>
    steps
      .filter(({ before }) => Object.keys(before).length > 0)
      .map(({ host, summary, diff }) => ({ host, summary, diff })),
  );
  const declared = run.correction?.maintenance === true ? { declared: true as const } : {};
  const beside = await besideOf(engine, run, plan);
  const body = renderComment({
    kind: 'correction',
    run: run.run,
    document,
    ...declared,
    outcome,
    changes,
    ...beside,
  });
  if (outcome.kind !== 'waiting') told.delete(run.run);
  else if (told.get(run.run) === body) return;
  const publishing = publishComment(client, repository, number, { key: `correction-${run.run}`, body });
  // a locked or deleted issue takes no comment; what was done stands in the audit log all the same
  const shown = publishing.then(() => undefined);
  await ifAllowed(engine.log, 'the comment about a correction', shown);
  if (outcome.kind === 'waiting') told.set(run.run, body);
  if (outcome.kind === 'corrected' && outcome.remaining === 0) await setClosed(client, repository, number);
}

async function outcomeOf(
  engine: Engine,
  run: RunRef,
  plan: Plan,
  phase: RunPhase,
): Promise<CorrectionView['outcome'] | undefined> {
  switch (phase.kind) {
    case 'waiting':
      return { kind: 'waiting', behind: phase.behind, position: phase.position };
    case 'applied': {
      const leftOut = (phase.leftOut ?? []).map(({ host, reason }) => ({ host, message: reason }));
      const remaining = await takeOff(
        engine,
        run,
        plan,
        leftOut.map(({ host }) => host),
      );
      return { kind: 'corrected', at: Date.now(), leftOut, remaining };
    }
    case 'rolled-back': {
      const failed = await failedOf(engine, run, run.run);
      const cancelled = await wasCancelled(engine, run);
      return { kind: 'rolled-back', reason: phase.reason, failed, most: FAILED_MAX, cancelled };
    }
    case 'held':
      return {
        kind: 'held',
        reason: phase.reason,
        remains: phase.remains,
        kept: phase.kept === true,
      };
    case 'needs-recovery':
      return { kind: 'dead', reason: phase.reason };
    case 'stale':
      return { kind: 'not-made', reason: phase.reason, cancelled: await wasCancelled(engine, run) };
    default:
      return undefined;
  }
}

/** `left`: what the document still finds. */
async function besideOf(engine: Engine, run: RunRef, plan: Plan): Promise<Beside> {
  const { verify } = await detailOf(engine, run);
  const found = (verify?.readBack ?? []).filter(({ document }) => document === run.correction?.document);
  return {
    remarks: toldOf(plan, await engine.store.receipts.ofRun(run.run)),
    left: found.map(({ host, message }) => ({ host, message })),
  };
}

async function wasCancelled(engine: Engine, { pull }: RunRef): Promise<boolean> {
  return (await cancelledBy(engine, recordName(pull.repository), pull.number)) !== undefined;
}

/** What was put back differs no more. Returns how many differences of the document are left. */
async function takeOff(engine: Engine, run: RunRef, plan: Plan, leftOut: readonly string[]): Promise<number> {
  const repository = recordName(run.pull.repository);
  const made = plan.hosts
    .filter(({ host }) => !leftOut.includes(host))
    .flatMap(({ host, steps }) => steps.map(({ id }) => ({ host, stepId: id })));
  const document = run.correction?.document ?? '';
  await engine.store.drift.remove(repository, document, made);
  const left = await engine.store.drift.of(repository);
  return left.filter((item) => item.document === document).length;
}
