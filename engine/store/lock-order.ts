/** Pure: who may have which hosts, first come first served. */

export interface HeldLock {
  readonly host: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly pull: string;
  readonly fence: number;
  /** Epoch ms. */
  readonly takenAt: number;
}

export interface Waiter {
  readonly id: number;
  readonly runId: string;
  readonly workflowId: string;
  readonly hosts: readonly string[];
  readonly pull: string;
}

export interface Holder {
  readonly host: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly pull: string;
}

/** Locks of others that stand in the way of `waiter`. */
export function holdersBefore(waiter: Waiter, locks: readonly HeldLock[]): readonly Holder[] {
  return locks
    .filter((lock) => lock.runId !== waiter.runId && waiter.hosts.includes(lock.host))
    .map(({ host, runId, workflowId, pull }) => ({ host, runId, workflowId, pull }));
}

/** Earlier waiters that want a host of `waiter`: they go first, so that a run on many hosts is not starved. */
export function waitersBefore(waiter: Waiter, queue: readonly Waiter[]): readonly Waiter[] {
  return queue.filter(
    (other) => other.id < waiter.id && other.hosts.some((host) => waiter.hosts.includes(host)),
  );
}

/** Waiters that would be granted if they asked now, in their order. */
export function mayTryNow(queue: readonly Waiter[], locks: readonly HeldLock[]): readonly Waiter[] {
  return queue.filter((w) => holdersBefore(w, locks).length === 0 && waitersBefore(w, queue).length === 0);
}
