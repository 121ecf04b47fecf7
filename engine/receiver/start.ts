import { Worker } from 'node:worker_threads';
import type { Outbound } from '../store/inbox.ts';
import { callsOver } from './calls.ts';
import type { MainFunctions, ReceiverFunctions, ReceiverOrder } from './order.ts';

export interface RunningReceiver {
  /** `http://HOST:PORT` */
  readonly url: string;
  /** The inbox that the receiver writes, for a relay in this thread. */
  readonly inbox: Outbound;
  /** Resolves when the requests in flight are answered. May be called twice. */
  readonly close: () => Promise<void>;
}

/** A bound, not a reservation: bodies are outside the heap, and what GitHub sends is at most 25 MiB of JSON. MiB. */
const HEAP_MAX = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 };
/** A thread that does not end by then is ended; what it answered is on disk. */
const CLOSE_MAX_MS = 15_000;

const BOOT = new URL('./boot.cjs', import.meta.url);
/** Source, or its bundle where this is one (scripts/bundle.ts). */
const THREAD = new URL('./thread.ts', import.meta.url);

/** Starts the receiver's thread and waits until it listens. `onDeath` hears when it ends by itself after that. */
export async function startReceiver(
  order: ReceiverOrder,
  functions: Omit<MainFunctions, 'listening'>,
  onDeath: (error: Error) => void,
): Promise<RunningReceiver> {
  const worker = new Worker(THREAD.pathname.endsWith('.ts') ? BOOT : THREAD, {
    name: 'receiver',
    workerData: { ...order, module: THREAD.href },
    resourceLimits: HEAP_MAX,
  });
  let closing = false;
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let died: (error: Error) => void = () => undefined;
  const death = new Promise<never>((_, reject) => {
    died = reject;
  });
  death.catch((error: Error) => closing || onDeath(error));
  let listening: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => {
    listening = resolve;
  });
  const thread = callsOver<ReceiverFunctions, MainFunctions>(worker, {
    ...functions,
    listening: async (at) => listening(at),
  });
  const end = (error: Error): void => {
    thread.end(error);
    died(error);
  };
  worker.once('error', (error: Error) => end(error));
  worker.once('exit', (code) => end(new Error(`the thread that answers HTTP ended with ${code}`)));
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.race([thread.call('close'), new Promise((r) => setTimeout(r, CLOSE_MAX_MS).unref())]);
    await worker.terminate();
    await gone;
  };
  return {
    url: await Promise.race([url, death]),
    inbox: {
      claim: (most) => thread.call('claim', most),
      handedOn: (guids) => thread.call('handedOn', guids),
      postpone: (guid, ms) => thread.call('postpone', guid, ms),
      prune: (beforeMs) => thread.call('prune', beforeMs),
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
