import type { ReceiverMetrics } from '../metrics.ts';
import { StoreError } from '../store/error.ts';
import type { Inbox } from '../store/inbox.ts';
import { type Patience, patiently } from './patiently.ts';

/** Deliveries that may wait. Some 1 KiB each, at most 30 KiB (a comment): more would fill the disk of an engine nobody looks after. */
export const WAITING_MAX = 100_000;
/**
 * A PostgreSQL that restarts, or a connection that broke unnoticed, is back in a moment; GitHub sends again only what it is asked for, by a
 * sweep. Below the 8 s after which a delivery is answered as failed, and time for two tries that nobody answers.
 */
const PATIENCE: Patience = { forMs: 7_000, everyMs: 250 };
/** How often they are counted; so the bound can be passed by what comes in this time. */
const COUNT_EVERY_MS = 1_000;
/** `/readyz` names a failed write this long: a failing receiver that gets no deliveries would never find out that it works again. */
const FAILURE_SHOWN_MS = 10_000;

export interface WatchedInbox {
  readonly accept: Inbox['accept'];
  /** For `/readyz`: rejects with a sentence while deliveries are refused. */
  readonly check: () => Promise<void>;
  readonly stop: () => void;
}

/** Bounds an inbox, and counts what waits in it. */
export function watchInbox(
  inbox: Pick<Inbox, 'accept' | 'state'>,
  metrics: Pick<ReceiverMetrics, 'inboxWaiting' | 'inboxOldestSeconds'>,
  waitingMax = WAITING_MAX,
): WatchedInbox {
  let waiting = 0;
  let failed: { readonly at: number; readonly error: unknown } | undefined;

  const count = async (): Promise<void> => {
    const state = await inbox.state();
    waiting = state.waiting;
    metrics.inboxWaiting.set(waiting);
    metrics.inboxOldestSeconds.set(
      state.oldestAt === undefined ? 0 : Math.max(0, (Date.now() - state.oldestAt) / 1000),
    );
  };
  const refuseFull = (): void => {
    if (waiting < waitingMax) return;
    throw new Error(
      `${waiting} deliveries wait to be handed on to Temporal, and no more are taken. Look why none is: /readyz and the log of a worker say so.`,
    );
  };
  const fail = (error: unknown): void => {
    failed = { at: Date.now(), error };
  };
  /** `/readyz` is not to wait for the last try. */
  const noted = (error: unknown): never => {
    fail(error);
    throw error;
  };
  const timer = setInterval(() => void count().catch(fail), COUNT_EVERY_MS);
  return {
    accept: async (arrival) => {
      refuseFull();
      const taken = await patiently(PATIENCE, isPassing, () => inbox.accept(arrival).catch(noted));
      failed = undefined;
      return taken;
    },
    check: async () => {
      await count();
      refuseFull();
      if (failed !== undefined && Date.now() - failed.at < FAILURE_SHOWN_MS) throw failed.error;
    },
    stop: () => clearInterval(timer),
  };
}

const PASSING: ReadonlySet<string> = new Set(['store-unavailable', 'store-locked']);

function isPassing(error: unknown): boolean {
  return error instanceof StoreError && PASSING.has(error.type);
}
