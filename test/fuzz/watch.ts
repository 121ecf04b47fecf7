import { Worker } from 'node:worker_threads';
import type { FoundCase, FuzzMessage, FuzzOrder } from './thread.ts';

/** As of the engine (package.json, `start`): what is too much for it is too much here. MiB. */
const HEAP_MAX_MIB = 512;
/** One case, with its minimising, that takes longer will never end. */
const HANGS_AFTER_MS = 120_000;
const LOOK_EVERY_MS = 500;

const BOOT = new URL('../../engine/receiver/boot.cjs', import.meta.url);
const THREAD = new URL('./thread.ts', import.meta.url);

export interface FuzzRun {
  readonly target: string;
  readonly cases: number;
  readonly seconds: number;
  readonly found: readonly FoundCase[];
}

/** Fuzzes one target for that long, in a thread that may hang or run out of memory: that is a finding, and the next case follows. */
export async function fuzz(
  target: string,
  seed: number,
  seconds: number,
  tell: (found: FoundCase) => void,
): Promise<FuzzRun> {
  const started = performance.now();
  const left = (): number => seconds - (performance.now() - started) / 1000;
  const found: FoundCase[] = [];
  let from = 0;
  while (left() > 0) {
    const thread = await inThread({ target, seed, from, seconds: left() }, (one) => {
      found.push(one);
      tell(one);
    });
    from = thread.next;
    if (thread.ended) break;
  }
  return { target, cases: from, seconds: (performance.now() - started) / 1000, found };
}

interface Ended {
  readonly next: number;
  /** By itself. */
  readonly ended: boolean;
}

function inThread(order: Omit<FuzzOrder, 'progress'>, tell: (found: FoundCase) => void): Promise<Ended> {
  const progress = new SharedArrayBuffer(4);
  const at = new Int32Array(progress);
  Atomics.store(at, 0, order.from);
  const worker = new Worker(BOOT, {
    workerData: { ...order, progress, module: THREAD.href },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MAX_MIB },
  });
  return new Promise((resolve) => {
    let last = { n: -1, since: performance.now() };
    const end = (ended: Ended): void => {
      clearInterval(timer);
      void worker.terminate().then(() => resolve(ended));
    };
    const dead = (message: string): void => {
      const n = Atomics.load(at, 0);
      tell({ target: order.target, n, message, stack: '', input: undefined });
      end({ next: n + 1, ended: false });
    };
    const timer = setInterval(() => {
      const n = Atomics.load(at, 0);
      if (n !== last.n) last = { n, since: performance.now() };
      else if (performance.now() - last.since > HANGS_AFTER_MS)
        dead(`did not end within ${HANGS_AFTER_MS / 1000} s`);
    }, LOOK_EVERY_MS);
    worker.on('message', (message: FuzzMessage) => {
      if (message.kind === 'found') tell(message.found);
      else end({ next: message.next, ended: true });
    });
    worker.once('error', (error: Error) => dead(`the process would have died: ${error.message}`));
  });
}
