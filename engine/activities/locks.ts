import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { UnitsOf } from '../store/lock-order.ts';
import type { WaitingRun } from '../store/locks.ts';
import { isSameMachine } from '../store/machine.ts';
import type { Store } from '../store/store.ts';
import { isAlive, isCurrent } from './alive.ts';
import { entryOf, receiptsNamed } from './auditRun.ts';
import type { Engine } from './engine.ts';
import { type Known, knownTo } from './hostMask.ts';
import { undoHost } from './hostUndo.ts';
import { relocated } from './located.ts';
import { noteDead } from './noteDead.ts';
import { fullName } from './pull.ts';
import { revertDead, withDeadMerge } from './revertDead.ts';
import { unshownWith } from './runDetail.ts';
import { resolveRun } from './runRevision.ts';
import { showRun } from './showRun.ts';
import { elsewhere } from './sites.ts';
import type { LockOutcome, RecoverableRun, RunPhase, RunRef, UndoOutcome } from './types.ts';
import { namesBefore, PLACES_TOLD } from './waiting.ts';

/**
 * All hosts of the run or none, and no member of their units changed by another; what takes a change back goes before what brings one. A holder whose workflow is dead
 * loses its locks; its hosts need recovery first.
 */
export async function acquireLocks(engine: Engine, run: RunRef, workflowId: string): Promise<LockOutcome> {
  const hosts = run.plan.hosts.map((host) => host.identity);
  const pull = `${fullName(run.pull)}#${run.pull.number}`;
  const units = unitsOf(run);
  const urgent = (await engine.store.runs.get(run.run))?.kind === 'rollback';
  for (;;) {
    const answer = await engine.store.locks.acquire({
      runId: run.run,
      workflowId,
      hosts,
      units,
      pull,
      urgent,
    });
    if (answer.kind === 'granted') return (await recoverable(engine, run)) ?? answer;
    const dead = await deadOf(engine, answer.holders, workflowId);
    const left = await deadOf(engine, answer.ahead.slice(0, WAITERS_ASKED), workflowId);
    if (dead.length + left.length === 0) {
      const { position } = answer;
      return { kind: 'waiting', position, behind: position > PLACES_TOLD ? '' : namesBefore(answer) };
    }
    for (const holder of dead) {
      await engine.store.locks.forceRelease(holder, 'doaas');
      await noteDead(engine.store, holder.runId);
    }
    for (const waiter of left) await wake(engine, await dropWaiter(engine, waiter));
  }
}

/** By identity; a unit is a repository's own. */
function unitsOf({ pull, plan: { hosts, rollout } }: RunRef): UnitsOf {
  const identities = new Map(hosts.map(({ name, identity }) => [name, identity]));
  return Object.fromEntries(
    Object.entries(rollout?.units ?? {}).flatMap(([host, units]) => {
      const identity = identities.get(host);
      return identity === undefined ? [] : [[identity, units.map((unit) => `${fullName(pull)} ${unit}`)]];
    }),
  );
}

/** Of those that go before, the ones whose turn comes first: a dead one further back is met when it comes nearer. */
const WAITERS_ASKED = 3;

/** Dead waiters that one release drops; those behind them are met when they come nearer. Each is shown on GitHub. */
const DROPPED_MAX = 10;

/**
 * Its workflow was ended from outside, or Temporal lost it: nobody would ever take what it waits for. Gives those that may
 * try now.
 */
export async function dropWaiter(engine: Engine, waiter: WaitingRun): Promise<readonly WaitingRun[]> {
  const ref = await shownRef(engine, waiter);
  const unshown = ref === undefined ? undefined : await unshownWith(engine, ref, DROPPED);
  const { was, next } = await engine.store.locks.drop(waiter, 'doaas', unshown);
  if (was && ref !== undefined) await showDropped(engine, ref);
  return next;
}

/** What takes a merged change back has no check of its own: that is still the one of the run that applied it. */
async function shownRef({ store }: Engine, { runId }: WaitingRun): Promise<RunRef | undefined> {
  const stored = await store.runs.get(runId);
  if (stored === undefined || stored.kind === 'rollback') return undefined;
  return (stored.detail as { readonly ref?: RunRef } | null)?.ref;
}

/** A later sweep does it, where GitHub is away. */
async function showDropped(engine: Engine, ref: RunRef): Promise<void> {
  const there = { ...ref, pull: { ...ref.pull, repository: await relocated(engine, ref.pull.repository) } };
  const shown = async () => {
    const merge = ref.mergeSha === undefined ? { merged: false } : await revertDead(engine, there);
    await showRun(engine, there, withDeadMerge(DROPPED, merge));
  };
  await shown().catch((error: unknown) =>
    engine.log.warn({ error: String(error) }, 'that a waiting run was dropped could not be shown'),
  );
}

const DROPPED = {
  kind: 'stale',
  reason: 'its workflow was ended while it waited for servers; nothing was changed. Ask for it again',
} as const satisfies RunPhase;

/** Gives up what the run holds and wakes those that may now try. */
export async function releaseLocks(engine: Engine, run: string): Promise<void> {
  await wake(engine, (await engine.store.locks.release(run)).next);
}

/** Tells those that may try now, and drops those that have died. Who could not be told for another reason asks by itself. */
export async function wake(engine: Engine, first: readonly WaitingRun[]): Promise<void> {
  const asked = new Set<string>();
  let dropped = 0;
  for (let next = first; next.length > 0; ) {
    const dead = await deadAmong(engine, next, asked);
    next = [];
    for (const waiter of dead.slice(0, DROPPED_MAX - dropped)) {
      next = await dropWaiter(engine, waiter);
      dropped += 1;
    }
  }
}

/** Tells each once; gives those whose workflow has ended. */
async function deadAmong(
  engine: Engine,
  waiters: readonly WaitingRun[],
  asked: Set<string>,
): Promise<readonly WaitingRun[]> {
  const dead: WaitingRun[] = [];
  for (const waiter of waiters.filter(({ runId }) => !asked.has(runId))) {
    asked.add(waiter.runId);
    if (!(await isTold(engine, waiter))) dead.push(waiter);
  }
  return dead;
}

/** False where its workflow has ended. */
async function isTold({ temporal, log }: Engine, { runId, workflowId }: WaitingRun): Promise<boolean> {
  try {
    await temporal.workflow.getHandle(workflowId).signal('locksReleased');
    return true;
  } catch (error) {
    log.warn({ run: runId, error: String(error) }, 'a waiting run could not be told');
    return !(error instanceof WorkflowNotFoundError);
  }
}

/** A held run keeps its locks although its workflow has ended: a person must look first. `asker`: the workflow that asks. */
async function deadOf<T extends WaitingRun>(
  engine: Engine,
  runs: readonly T[],
  asker: string,
): Promise<readonly T[]> {
  const judged = await Promise.all(
    runs.map(async (other) => {
      // corrections of one document follow each other under one id: while this one lives, an earlier one does not
      const isDead =
        other.workflowId === asker
          ? await isAskedByLiving(engine)
          : !(await isAlive(engine.temporal, other.workflowId));
      // read after that: by its death it is said whether it is held
      const isHeld = isDead && (await engine.store.runs.get(other.runId))?.state === 'held';
      return isDead && !isHeld ? [other] : [];
    }),
  );
  return judged.flat();
}

/** Not by what is left over of a workflow that has ended, for which a later one under its id would be the dead one. */
async function isAskedByLiving({ temporal }: Engine): Promise<boolean> {
  const { workflowExecution } = Context.current().info;
  return workflowExecution !== undefined && (await isCurrent(temporal, workflowExecution));
}

async function recoverable(engine: Engine, run: RunRef): Promise<LockOutcome | undefined> {
  const needing = await engine.store.hosts.needRecovery(run.plan.hosts.map((host) => host.identity));
  const runs = new Map<string, RecoverableRun>();
  for (const { identity } of needing) {
    const open = await engine.store.receipts.open(identity, run.run);
    if (open.length === 0) await engine.store.hosts.clearNeedsRecovery(identity);
    const site = run.plan.hosts.find((host) => isSameMachine(host.identity, identity))?.site ?? '';
    const [away] = elsewhere(engine.config.sites, [site]);
    for (const receipt of open) {
      const key = `${receipt.runId} ${away ?? ''}`;
      const hosts = new Set(runs.get(key)?.hosts).add(receipt.host);
      const whose = away === undefined ? {} : { site: away };
      runs.set(key, { run: receipt.runId, hosts: [...hosts], ...whose });
    }
  }
  return runs.size === 0 ? undefined : { kind: 'needs-recovery', runs: [...runs.values()] };
}

/**
 * Whether other hosts of a dead run still wait for whoever locks them next. Until then the run has not ended: what an
 * ended one left is not looked for.
 */
export async function isLeftElsewhere(
  { locks, hosts, receipts }: Pick<Store, 'locks' | 'hosts' | 'receipts'>,
  { run, plan }: Pick<RunRef, 'run' | 'plan'>,
): Promise<boolean> {
  if ((await locks.heldBy(run)).length > 0) return true;
  const needing = await hosts.needRecovery(plan.hosts.map(({ identity }) => identity));
  const open = await Promise.all(needing.map(({ identity }) => receipts.open(identity)));
  return open.flat().some(({ runId }) => runId === run);
}

/** Not confirmed yet, so it is in git only: what an undo says is withheld rather than that it waits for GitHub. */
async function knownSince(engine: Engine, run: RunRef): Promise<Known | 'unknown'> {
  return resolveRun(engine, run).then(knownTo, (error: unknown) => {
    engine.log.warn(
      { error: String(error) },
      'the revision could not be read, so what an undo says is withheld',
    );
    return 'unknown' as const;
  });
}

/** Undoes what a dead run left on hosts that the asking run has locked. */
export async function recoverRun(engine: Engine, run: RunRef, dead: RecoverableRun): Promise<UndoOutcome> {
  const stored = await engine.store.runs.get(dead.run);
  const then = (stored?.detail as { readonly ref?: RunRef } | null | undefined)?.ref;
  if (then === undefined) return { kind: 'held', reason: `the run ${dead.run} is not in the store` };
  const ref = { ...then, pull: { ...then.pull, repository: await relocated(engine, then.pull.repository) } };
  // what the dead run was planned on may be older than what it was confirmed on
  const since = await knownSince(engine, run);
  for (const host of dead.hosts) {
    const planned = ref.plan.hosts.find((candidate) => candidate.name === host);
    const waves = [...(planned?.waves ?? [])].reverse();
    const outcome = await undoHost(engine, ref, host, waves, false, run.run, since);
    if (outcome.kind !== 'rolled-back') return outcome;
    if (planned !== undefined) await engine.store.hosts.clearNeedsRecovery(planned.identity);
  }
  if (await isLeftElsewhere(engine.store, ref)) return { kind: 'rolled-back' };
  const merge = await revertDead(engine, ref).catch((error: unknown) => {
    engine.log.warn({ run: ref.run, error: String(error) }, 'whether a dead run is merged could not be read');
    return undefined;
  });
  // the next sweep asks again, and ends it: who waits for these servers need not wait for GitHub
  if (merge === undefined) return { kind: 'rolled-back' };
  const named = receiptsNamed(await engine.store.receipts.ofRun(dead.run));
  const entry = { ...entryOf(ref, 'recover', { by: run.run, ...named }), who: 'doaas' };
  const reason = `The run ended without cleaning up; ${run.run} undid what it had done before it went on`;
  const phase = withDeadMerge({ kind: 'rolled-back', reason }, merge);
  const detail = await unshownWith(engine, ref, phase);
  await engine.store.runs.update(dead.run, { state: 'rolled-back', ...detail }, entry);
  await showRun(engine, ref, phase).catch((error: unknown) =>
    engine.log.warn({ error: String(error) }, 'that a dead run was undone could not be shown'),
  );
  return { kind: 'rolled-back' };
}
