/**
 * The load generator, a process of its own: it sends on a fixed timetable, whether or not earlier deliveries were
 * answered, so a slow answer cannot hide behind a slower sender. Talks with its parent over Node's IPC.
 */
import { Agent, request } from 'node:http';
import { setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import { type Prepared, prepare, type Sender } from './deliveries.ts';

export interface LoadOrder {
  readonly url: string;
  readonly sender: Sender;
  readonly perSecond: number;
  readonly seconds: number;
  /** Each of these many deliveries is reported, so that the parent can kill the engine in the middle. */
  readonly tellEvery: number;
}

/** One delivery. `status` 0: no answer came. */
export interface Sent {
  readonly guid: string;
  readonly event: string;
  readonly status: number;
  readonly ms: number;
}

export type LoadReport =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'sent'; readonly count: number }
  | { readonly kind: 'done'; readonly sent: readonly Sent[]; readonly seconds: number };

/** GitHub gives a delivery up after this. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Deliveries are due every 20 ms; another machine's sender would not compete for the processor. */
const NICENESS = -10;

async function main(order: LoadOrder): Promise<void> {
  const total = order.perSecond * order.seconds;
  const all = Array.from({ length: total }, (_, n) => prepare(order.sender, n));
  await tell({ kind: 'prepared' });
  const agent = new Agent({ keepAlive: true });
  const started = performance.now();
  const answers: Promise<Sent>[] = [];
  for (const [n, delivery] of all.entries()) {
    const due = started + (n * 1000) / order.perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    answers.push(send(agent, order.url, delivery));
    if ((n + 1) % order.tellEvery === 0) void tell({ kind: 'sent', count: n + 1 });
  }
  const sent = await Promise.all(answers);
  await tell({ kind: 'done', sent, seconds: (performance.now() - started) / 1000 });
  agent.destroy();
}

function send(agent: Agent, url: string, { guid, event, body, headers }: Prepared): Promise<Sent> {
  const started = performance.now();
  return new Promise((resolve) => {
    const end = (status: number) => resolve({ guid, event, status, ms: performance.now() - started });
    const bytes = Buffer.from(body);
    const options = { method: 'POST', agent, timeout: ANSWER_TIMEOUT_MS };
    const sending = request(url, { ...options, headers: { ...headers, 'content-length': bytes.length } });
    sending.on('response', (response) => {
      response.resume();
      response.on('end', () => end(response.statusCode ?? 0));
      response.on('error', () => end(0));
    });
    sending.on('timeout', () => sending.destroy(new Error('no answer in time')));
    sending.on('error', () => end(0));
    sending.end(bytes);
  });
}

function tell(report: LoadReport): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(report, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

try {
  setPriority(NICENESS);
} catch {
  // only root may; the figures are then a little worse than they are
}
process.once('message', (order: LoadOrder) => {
  main(order).then(
    () => process.disconnect(),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
