import { expect, test, vi } from 'vitest';
import { type End, endAll } from './ending.ts';
import { createLogger } from './log.ts';

const NEVER: End = () => new Promise(() => undefined);

/** Ends that note their name, in the order in which the parts were started. */
function parts(others: Readonly<Record<string, End>> = {}) {
  const ended: string[] = [];
  const ends = ['store', 'receiver', 'temporal', 'worker', 'relay'].map((name): End => {
    return async () => {
      ended.push(name);
      await others[name]?.();
    };
  });
  return { ended, ends };
}

test('parts end in the reverse of the order in which they were started, and once', async () => {
  const { ended, ends } = parts();
  await endAll(ends, createLogger('silent'));
  await endAll(ends, createLogger('silent'));
  expect(ended).toEqual(['relay', 'worker', 'temporal', 'receiver', 'store']);
});

test('one that hangs, or fails, keeps no other from its turn, nor all of them from their time', async () => {
  vi.useFakeTimers();
  try {
    const lines: string[] = [];
    const log = createLogger('warn', { write: (line) => void lines.push(line) });
    const fails = () => Promise.reject(new Error('it broke'));
    const { ended, ends } = parts({ relay: fails, worker: NEVER, temporal: NEVER });
    let isOver = false;
    const all = endAll(ends, log, 14_000).then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(11_000);
    expect(ended).toEqual(['relay', 'worker']);
    await vi.advanceTimersByTimeAsync(3000);
    expect(isOver).toBe(true);
    await all;
    expect(ended).toEqual(['relay', 'worker', 'temporal', 'receiver', 'store']);
    expect(lines.map((line) => /"message":"([^"]+)"/.exec(line)?.[1])).toEqual([
      'it broke',
      'not within 11750 ms',
      'not within 750 ms',
    ]);
  } finally {
    vi.useRealTimers();
  }
});
