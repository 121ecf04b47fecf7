import type { EngineEvent } from '../github/events.ts';
import type { Logger } from '../log.ts';
import type { EngineMetrics } from '../metrics.ts';
import { LEASE_MS, type Outbound, type Waiting } from '../store/inbox.ts';

export interface RelayOptions {
  readonly inbox: Outbound;
  /** Makes one event durable in Temporal. May do so twice for one `guid`. `receivedAt`: epoch ms. */
  readonly handOn: (event: EngineEvent, guid: string, receivedAt: number) => Promise<void>;
  readonly log: Logger;
  readonly metrics: Pick<EngineMetrics, 'handedOn'>;
  /** How long nothing may be looked for while nobody says that something came. Milliseconds. */
  readonly lookEveryMs: number;
}

export interface Relay {
  /** Something came; look now. */
  readonly wake: () => void;
  /** Resolves when what is under way has ended. */
  readonly stop: () => Promise<void>;
}

/** Temporal's database takes one writer at a time, and the engine's own work needs it too. */
const AT_ONCE = 8;
/** Well below the lease, so that nobody else hands the same event on at the same time. */
export const HAND_ON_MAX_MS = LEASE_MS / 2;
const RETRY_FIRST_MS = 500;
/** Also how long a delivery may wait after Temporal is back. */
const RETRY_MAX_MS = 5_000;
/** A webhook of a repository, not of the App, names no installation; where the App is not installed there is none to find. */
const GIVE_UP_AFTER_MS = 60 * 60 * 1000;
/** GitHub redelivers within three days. */
export const REMEMBERED_MS = 3 * 24 * 60 * 60 * 1000;
const PRUNE_EVERY_MS = 5_000;

/**
 * Hands what waits in the inbox on to Temporal, a few at a time, trying again without end. One that died between Temporal's answer and the
 * mark in the inbox is followed by one that hands the same event on again; workflows know it by its id.
 */
export function startRelay(options: RelayOptions): Relay {
  const { inbox, log, metrics } = options;
  const underWay = new Set<Promise<void>>();
  const done: string[] = [];
  /** What is tried again, and from when on, `performance.now()`: until the inbox knows that too. */
  const failedOnes = new Map<string, number>();
  let stopped = false;
  let looking: Promise<void> | undefined;
  let again = false;
  let failing = false;
  let unreadable = false;

  const handOn = async (waiting: Waiting): Promise<void> => {
    const { guid, receivedAt } = waiting;
    try {
      await within(HAND_ON_MAX_MS, options.handOn(JSON.parse(waiting.event), guid, receivedAt));
      metrics.handedOn.inc({ outcome: 'taken' });
      done.push(guid);
      if (failing) log.info('deliveries are handed on again');
      failing = false;
    } catch (error) {
      failed(waiting, error);
    }
  };

  const failed = ({ guid, receivedAt, tries }: Waiting, error: unknown): void => {
    if (isFinal(error) && Date.now() - receivedAt > GIVE_UP_AFTER_MS) {
      metrics.handedOn.inc({ outcome: 'given-up' });
      log.error(
        { err: error, delivery: guid, tries },
        'a delivery is given up: GitHub keeps refusing its repository',
      );
      done.push(guid);
      return;
    }
    metrics.handedOn.inc({ outcome: 'failed' });
    // once for an outage, not once for each delivery that waits
    const isNews = !failing && tries === 1;
    failing ||= isNews;
    log[isNews ? 'warn' : 'debug'](
      { err: error, delivery: guid, tries },
      'a delivery could not be handed on; it is tried again',
    );
    failedOnes.set(guid, performance.now() + backoffMs(tries));
  };

  /** An inbox that cannot be written just now would else keep them claimed for the rest of the lease. */
  const giveBack = async (): Promise<void> => {
    for (const [guid, at] of failedOnes) {
      await inbox.postpone(guid, Math.max(0, Math.round(at - performance.now())));
      failedOnes.delete(guid);
    }
  };

  const look = async (): Promise<void> => {
    do {
      again = false;
      const marked = [...done];
      await inbox.handedOn(marked);
      done.splice(0, marked.length);
      await giveBack();
      const free = stopped ? 0 : AT_ONCE - underWay.size;
      for (const waiting of free > 0 ? await inbox.claim(free) : []) follow(handOn(waiting));
      unreadable = false;
    } while (again);
  };

  const follow = (work: Promise<void>): void => {
    const followed = work.catch(noted).finally(() => {
      underWay.delete(followed);
      wake();
    });
    underWay.add(followed);
  };

  const wake = (): void => {
    again = true;
    looking ??= look()
      .catch(noted)
      .finally(() => {
        looking = undefined;
        if (again) wake();
      });
  };

  const noted = (error: unknown): void => {
    log[unreadable ? 'debug' : 'warn'](
      { err: error },
      'the inbox could not be read or written; it is tried again',
    );
    unreadable = true;
  };
  const timers = [
    setInterval(wake, options.lookEveryMs),
    setInterval(() => void inbox.prune(Date.now() - REMEMBERED_MS).catch(noted), PRUNE_EVERY_MS),
  ];
  wake();
  return {
    wake,
    stop: async () => {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      while (underWay.size > 0 || looking !== undefined) await Promise.all([...underWay, looking]);
    },
  };
}

export function backoffMs(tries: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(tries - 1, 10));
}

/** GitHub's refusals say that no retry changes them; Temporal's errors say no such thing. */
function isFinal(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === false;
}

/** What takes too long here may still succeed; the event then counts once, by its id. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not taken within ${ms} ms`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
