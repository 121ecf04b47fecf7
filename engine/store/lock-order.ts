import { namesOf } from './machine.ts';

/** Pure: who may have which hosts, first come first served, but for what takes a change back: that goes first. */

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
  /** Epoch ms. */
  readonly askedAt: number;
  /** It takes a change back, so it goes before what brings one. */
  readonly urgent: boolean;
}

/** Where a waiter stands, and because of whom. */
export interface Place {
  /** 1 = next, as soon as the holders release. */
  readonly position: number;
  readonly holders: readonly Holder[];
  /** Who wants one of its hosts too and goes first, in their order. */
  readonly ahead: readonly Waiter[];
}

export interface Holder {
  readonly host: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly pull: string;
}

/** Locks of others that stand in the way of `waiter`. */
export function holdersBefore(waiter: Waiter, locks: readonly HeldLock[]): readonly Holder[] {
  const names = namesOfAll(waiter.hosts);
  return locks
    .filter((lock) => lock.runId !== waiter.runId && isAmong(names, lock.host))
    .map(({ host, runId, workflowId, pull }) => ({ host, runId, workflowId, pull }));
}

/** Waiters that want a host of `waiter` and go first, so that a run on many hosts is not starved. */
export function waitersBefore(waiter: Waiter, queue: readonly Waiter[]): readonly Waiter[] {
  const names = namesOfAll(waiter.hosts);
  return queue.filter(
    (other) => goesBefore(other, waiter) && other.hosts.some((host) => isAmong(names, host)),
  );
}

export function placeOf(waiter: Waiter, queue: readonly Waiter[], locks: readonly HeldLock[]): Place {
  const ahead = waitersBefore(waiter, queue);
  return { position: ahead.length + 1, holders: holdersBefore(waiter, locks), ahead };
}

function goesBefore(one: Waiter, other: Waiter): boolean {
  return one.urgent === other.urgent ? one.id < other.id : one.urgent;
}

/** Waiters that would be granted if they asked now. `queue` in the order in which they go. */
export function mayTryNow(queue: readonly Waiter[], locks: readonly HeldLock[]): readonly Waiter[] {
  const taken = namesOfAll(locks.map(({ host }) => host));
  return queue.filter(({ hosts }) => {
    const free = !hosts.some((host) => isAmong(taken, host));
    for (const name of hosts.flatMap(namesOf)) taken.add(name);
    return free;
  });
}

function namesOfAll(hosts: readonly string[]): Set<string> {
  return new Set(hosts.flatMap(namesOf));
}

function isAmong(names: ReadonlySet<string>, host: string): boolean {
  return namesOf(host).some((name) => names.has(name));
}
