import { runWorkflowId } from '../github/workflowIds.ts';
import type { HeldLock, Waiter } from '../store/lock-order.ts';
import { isSameMachine } from '../store/machine.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import { FINAL_STATES, type OpenRun, type Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { isAlive } from './alive.ts';
import { entryOf, receiptsNamed } from './auditRun.ts';
import type { Engine } from './engine.ts';
import { relocated } from './located.ts';
import { dropWaiter, releaseLocks, wake } from './locks.ts';
import { noteDead } from './noteDead.ts';
import { inParallel } from './planning.ts';
import { type DeadMerge, revertDead, withDeadMerge } from './revertDead.ts';
import { keepDetail, unshownWith } from './runDetail.ts';
import type { RunDetail } from './runViews.ts';
import { showRun } from './showRun.ts';
import type { RunPhase, RunRef } from './types.ts';

/** Runs that one sweep asks Temporal about: those with servers first, then who waits, in their order. */
const ASKED_MAX = 1_000;
const ASKED_AT_ONCE = 8;

/** Runs that one sweep ends, and shows; each is shown on GitHub. The next one goes on with the rest. */
const ENDED_MAX = 20;

/**
 * An activity of a dead workflow says that it begins before it does, and does not once its lock is gone; one of an older engine may still
 * come to its first receipt: within 15 s it knows that nobody waits for it. Milliseconds.
 */
const QUIET_MS = 30_000;

/**
 * Nobody else looks while no other run wants their servers: takes locks and places in the queue from runs whose workflow has
 * ended without them, as another run would; and shows what became of them. Safe to repeat.
 */
export async function endDeadRuns(engine: Engine): Promise<void> {
  const dead = await deadAmong(engine, await suspects(engine.store));
  for (const suspect of dead.slice(0, ENDED_MAX)) await giveUp(engine, suspect);
  await clearQuiet(engine.store, Date.now());
  await attendLeft(engine);
}

/** A run that must have a living workflow. */
export interface Suspect {
  readonly runId: string;
  readonly workflowId: string;
  /** Of two that hold servers, or wait for some, the later one has the higher: a fence, or a place. No clock, which may jump. */
  readonly order: number;
  readonly waits: boolean;
  /** Identities. */
  readonly hosts: readonly string[];
}

async function suspects(store: Store): Promise<readonly Suspect[]> {
  const [locks, queue, open] = await Promise.all([
    store.locks.list(),
    store.locks.queue(),
    store.runs.openStates(),
  ]);
  const known = [...holdersOf(locks), ...queue.map(waiting)];
  const names = new Set(known.map(({ runId }) => runId));
  const others = open.filter(({ id, state }) => GOES_ON.has(state) && !names.has(id)).slice(0, ASKED_MAX);
  const strays = await Promise.all(others.map(async ({ id }) => strayOf(await store.runs.get(id))));
  return [...known, ...strays.flat()].slice(0, ASKED_MAX);
}

const GOES_ON: ReadonlySet<OpenRun['state']> = new Set(['queued', 'running']);

/** Each once, however many servers it has. */
function holdersOf(locks: readonly HeldLock[]): readonly Suspect[] {
  const holders = new Map<string, Suspect>();
  for (const { runId, workflowId, fence, host } of locks) {
    const hosts = [...(holders.get(runId)?.hosts ?? []), host];
    holders.set(runId, { runId, workflowId, order: fence, waits: false, hosts });
  }
  return [...holders.values()].sort((a, b) => a.order - b.order);
}

function waiting({ runId, workflowId, id, hosts }: Waiter): Suspect {
  return { runId, workflowId, order: id, waits: true, hosts };
}

/** It has no servers and waits for none: it has just begun, or they were taken from it. A correction begins with its servers. */
function strayOf(run: Run | undefined): readonly Suspect[] {
  if (run === undefined || run.headSha === null || !(run.kind === 'apply' || run.kind === 'rollback'))
    return [];
  const workflowId = runWorkflowId(run.kind, run.id, run.headSha);
  return [{ runId: run.id, workflowId, order: 0, waits: false, hosts: [] }];
}

async function deadAmong(engine: Engine, all: readonly Suspect[]): Promise<readonly Suspect[]> {
  const possible = mayLive(all);
  const judged = await inParallel(all, ASKED_AT_ONCE, async (suspect) => {
    if (possible.has(suspect.runId) && (await isAlive(engine.temporal, suspect.workflowId))) return [];
    // read after its death, by which it was said whether it is held: that one keeps its servers for a person
    return (await engine.store.runs.get(suspect.runId))?.state === 'held' ? [] : [suspect];
  });
  return judged.flat();
}

/**
 * Runs that can be the living one of their workflow: corrections of one document follow each other under one id. Of those that hold
 * servers the newest, and of those that wait. One that waits for a server which another holds came after it; where they share none nobody
 * can tell, and the living one finds the other when it asks for its servers, or ends.
 */
export function mayLive(all: readonly Suspect[]): ReadonlySet<string> {
  const inOrder = [...all].sort((a, b) => a.order - b.order);
  const newest = (waits: boolean) =>
    new Map(inOrder.filter((each) => each.waits === waits).map((each) => [each.workflowId, each]));
  const waiters = newest(true);
  const holders = [...newest(false).values()].filter((holder) => {
    const waiter = waiters.get(holder.workflowId);
    return !holder.hosts.some((host) => waiter?.hosts.some((other) => isSameMachine(host, other)));
  });
  return new Set([...waiters.values(), ...holders].map(({ runId }) => runId));
}

async function giveUp(engine: Engine, { runId, workflowId, waits }: Suspect): Promise<void> {
  const { runs, locks } = engine.store;
  const state = (await runs.get(runId))?.state;
  if (FINAL_STATES.some((final) => final === state)) return releaseLocks(engine, runId);
  if (waits) return wake(engine, await dropWaiter(engine, { runId, workflowId }));
  for (const lock of await locks.heldBy(runId)) {
    const { next } = await locks.forceRelease(lock, 'doaas');
    await wake(engine, next);
  }
  await noteDead(engine.store, runId);
}

/** Machines on which dead runs turn out to have left nothing. */
export async function clearQuiet(
  { hosts, receipts }: Pick<Store, 'hosts' | 'receipts'>,
  now: number,
): Promise<void> {
  for (const recovery of await hosts.needRecovery()) {
    if (now - recovery.since < QUIET_MS) continue;
    if ((await receipts.open(recovery.identity)).length === 0) await hosts.clearRecovery(recovery);
  }
}

/** Shows the dead runs that nobody has shown yet, and ends those of which nothing is left. */
async function attendLeft(engine: Engine): Promise<void> {
  const open = await engine.store.runs.openStates();
  let ended = 0;
  for (const { id } of open.filter(({ state }) => state === 'needs-recovery')) {
    if (ended >= ENDED_MAX) return;
    if (await attend(engine, id)) ended += 1;
  }
}

/** True where there was something to say. */
async function attend(engine: Engine, id: string): Promise<boolean> {
  const run = await engine.store.runs.get(id);
  const { ref, phase } = (run?.detail ?? {}) as RunDetail & { readonly ref?: RunRef };
  if (run === undefined || ref === undefined) return false;
  const left = await isLeft(engine.store, ref);
  if (left && (phase?.kind === 'needs-recovery' || run.kind === 'rollback')) return false;
  const there = { ...ref, pull: { ...ref.pull, repository: await relocated(engine, ref.pull.repository) } };
  // what takes a change back has none of its own
  const receipts = await engine.store.receipts.ofRun(ref.undoes ?? id);
  const merge = await mergeOf(engine, run, there, receipts);
  if (merge === undefined) return false;
  if (!left) return end(engine, run, there, receipts, merge);
  const dead = { kind: 'needs-recovery', reason: DIED } as const;
  await show(engine, there, withDeadMerge(merge.merged ? { ...dead, merged: true } : dead, merge));
  return true;
}

/**
 * Undefined: it cannot be said now; the next sweep asks again. A run that changed nothing has not been overtaken by a merge, and what takes a
 * merged change back has opened the revert itself.
 */
async function mergeOf(
  engine: Engine,
  { kind }: Run,
  ref: RunRef,
  receipts: readonly StoredReceipt[],
): Promise<DeadMerge | undefined> {
  if (kind === 'rollback' || (receipts.length === 0 && ref.mergeSha === undefined)) return { merged: false };
  return revertDead(engine, ref).catch((error: unknown) => {
    engine.log.warn({ run: ref.run, error: String(error) }, 'whether a dead run is merged could not be read');
    return undefined;
  });
}

const DIED = 'The workflow of this run was ended from outside, or its data was lost';

/** Whether it has servers, or some on which it has left something, or may have: on which nobody has looked for it yet. */
async function isLeft(
  { locks, hosts, receipts }: Pick<Store, 'locks' | 'hosts' | 'receipts'>,
  { run, plan }: RunRef,
): Promise<boolean> {
  if ((await locks.heldBy(run)).length > 0) return true;
  const needing = (await hosts.needRecovery()).filter((machine) =>
    plan.hosts.some(({ identity }) => isSameMachine(identity, machine.identity)),
  );
  for (const { identity, since } of needing) {
    const open = await receipts.open(identity);
    if (open.some(({ runId }) => runId === run) || Date.now() - since < QUIET_MS) return true;
  }
  return false;
}

/**
 * Nothing is left of it: it had not begun to change servers, or was about to end when it died. What takes a merged change back writes
 * no receipts of its own, and whoever asked for it is told by the pull request.
 */
async function end(
  engine: Engine,
  { kind }: Run,
  ref: RunRef,
  receipts: readonly StoredReceipt[],
  merge: DeadMerge,
): Promise<true> {
  const undone = receipts.length === 0 ? 'cancelled' : 'rolled-back';
  const state = kind === 'rollback' ? 'failed' : undone;
  const end = state === 'cancelled' ? UNBEGUN : ({ kind: 'rolled-back', reason: DIED } as const);
  const phase = state === 'failed' ? undefined : withDeadMerge(end, merge);
  const entry = { ...entryOf(ref, 'end-dead', { state, ...receiptsNamed(receipts) }), who: 'doaas' };
  const unshown = phase === undefined ? {} : await unshownWith(engine, ref, phase);
  await engine.store.runs.update(ref.run, { state, ...unshown }, entry);
  if (phase !== undefined) await show(engine, ref, phase);
  return true;
}

const UNBEGUN = {
  kind: 'stale',
  reason: 'its workflow was ended from outside before it had begun',
} as const satisfies RunPhase;

/** What GitHub does not take now is shown by a later sweep. */
async function show(engine: Engine, ref: RunRef, phase: RunPhase): Promise<void> {
  await showRun(engine, ref, phase).catch((error: unknown) =>
    engine.log.warn({ run: ref.run, error: String(error) }, 'what became of a dead run could not be shown'),
  );
  if (ref.correction !== undefined) await keepDetail(engine, ref, { phase });
}
