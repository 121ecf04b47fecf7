import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Calls, callsOver } from './calls.ts';

interface Sums {
  readonly add: (a: number, b: number) => Promise<number>;
  readonly fail: () => Promise<never>;
  readonly never: () => Promise<void>;
}

let channel: MessageChannel;
let sums: Calls<Sums>;
beforeEach(() => {
  channel = new MessageChannel();
  callsOver<Record<never, never>, Sums>(channel.port1, {
    add: async (a, b) => a + b,
    fail: () => Promise.reject(new Error('the disk is full')),
    never: () => new Promise(() => undefined),
  });
  sums = callsOver<Sums, Record<never, never>>(channel.port2, {});
});
afterEach(() => channel.port1.close());

it('answers each call with its own result', async () => {
  expect(await Promise.all([sums.call('add', 1, 2), sums.call('add', 3, 4)])).toEqual([3, 7]);
});

it('tells what went wrong, and that a function is not there', async () => {
  await expect(sums.call('fail')).rejects.toThrow('the disk is full');
  await expect(sums.call('toString' as 'fail')).rejects.toThrow('toString, which is not there');
});

it('fails what waits, and what comes after, when the other thread has ended', async () => {
  const waits = sums.call('never');
  sums.end(new Error('it ended'));
  await expect(waits).rejects.toThrow('it ended');
  await expect(sums.call('add', 1, 2)).rejects.toThrow('it ended');
});
