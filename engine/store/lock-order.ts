import { namesOf } from './machine.ts';

/** Pure: who may have which hosts, first come first served, but for what takes a change back: that goes first. */

/** By identity of a host, names of the units whose members no two runs change at once. A host without is in none. */
export type UnitsOf = Readonly<Record<string, readonly string[]>>;

export interface HeldLock {
  readonly host: string;
  readonly runId: string;
  readonly workflowId: string;
  readonly pull: string;
  readonly fence: number;
  /** Epoch ms. */
  readonly takenAt: number;
  readonly units: readonly string[];
}

export interface Waiter {
  readonly id: number;
  readonly runId: string;
  readonly workflowId: string;
  readonly hosts: readonly string[];
  readonly units: UnitsOf;
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
  /** Who wants one of its hosts too, or a member of one of its units, and goes first, in their order. */
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
  const names = new Set(namesOfWaiter(waiter));
  return locks
    .filter((lock) => lock.runId !== waiter.runId && namesOfLock(lock).some((name) => names.has(name)))
    .map(({ host, runId, workflowId, pull }) => ({ host, runId, workflowId, pull }));
}

/** Waiters that want a host or unit of `waiter` and go first, so that a run on many hosts is not starved. */
export function waitersBefore(waiter: Waiter, queue: readonly Waiter[]): readonly Waiter[] {
  const names = new Set(namesOfWaiter(waiter));
  return queue.filter(
    (other) => goesBefore(other, waiter) && namesOfWaiter(other).some((name) => names.has(name)),
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
  const taken = new Set(locks.flatMap(namesOfLock));
  return queue.filter((waiter) => {
    const names = namesOfWaiter(waiter);
    const free = !names.some((name) => taken.has(name));
    for (const name of names) taken.add(name);
    return free;
  });
}

function namesOfWaiter({ hosts, units }: Pick<Waiter, 'hosts' | 'units'>): readonly string[] {
  return [...hosts.flatMap(namesOf), ...Object.values(units).flat().map(nameOfUnit)];
}

function namesOfLock({ host, units }: HeldLock): readonly string[] {
  return [...namesOf(host), ...units.map(nameOfUnit)];
}

/** No identity of a host begins like that. */
function nameOfUnit(unit: string): string {
  return `unit ${unit}`;
}
