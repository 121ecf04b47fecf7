import { parentPort, workerData } from 'node:worker_threads';
import { minimise } from './minimise.ts';
import { alike, type Failure, failureOf, inputOf } from './run.ts';
import type { Target } from './target.ts';
import { targetNamed } from './targets.ts';

export interface FuzzOrder {
  readonly target: string;
  readonly seed: number;
  /** The first case. */
  readonly from: number;
  readonly seconds: number;
  /** One Int32: the case in work, for whoever waits in vain for its end. */
  readonly progress: SharedArrayBuffer;
}

export interface FoundCase extends Failure {
  readonly n: number;
  /** Base64; undefined where the process could not be asked any more. */
  readonly input: string | undefined;
}

export type FuzzMessage =
  | { readonly kind: 'found'; readonly found: FoundCase }
  | { readonly kind: 'done'; readonly next: number };

/** Different failures of one target; more would not be read. */
const FOUND_MAX = 20;

async function main(order: FuzzOrder): Promise<void> {
  if (parentPort === null) throw new Error('this file is a thread of the fuzzer: npm run -s fuzz');
  const target = targetNamed(order.target);
  const seeds = target.seeds();
  const progress = new Int32Array(order.progress);
  const end = performance.now() + order.seconds * 1000;
  const found: FoundCase[] = [];
  let n = order.from;
  for (; performance.now() < end && found.length < FOUND_MAX; n += 1) {
    Atomics.store(progress, 0, n);
    const input = inputOf(target, seeds, order.seed, n);
    const failure = await failureOf(target, input);
    if (failure === undefined || found.some((known) => alike(known, failure))) continue;
    const smallest = await smallestOf(target, input, failure);
    const one: FoundCase = { ...failure, n, input: smallest.toString('base64') };
    found.push(one);
    parentPort.postMessage({ kind: 'found', found: one } satisfies FuzzMessage);
  }
  parentPort.postMessage({ kind: 'done', next: n } satisfies FuzzMessage);
}

function smallestOf(target: Target, input: Buffer, failure: Failure): Promise<Buffer> {
  return minimise(input, async (smaller) => {
    const other = await failureOf(target, smaller);
    return other !== undefined && alike(other, failure);
  });
}

void main(workerData as FuzzOrder);
