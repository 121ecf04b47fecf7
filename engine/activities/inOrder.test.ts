import { expect, test } from 'vitest';
import { inOrder, isBusy } from './inOrder.ts';

test('what was published later stays, however long an earlier one took; what is overtaken while it waits is left out', async () => {
  const done: string[] = [];
  let let1: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    let1 = resolve;
  });
  const first = inOrder('run', async () => {
    await slow;
    done.push('first');
  });
  const second = inOrder('run', async () => void done.push('second'));
  const third = inOrder('run', async () => void done.push('third'));
  await inOrder('another run', async () => void done.push('another'));
  expect(isBusy('run')).toBe(true);
  let1();
  await Promise.all([first, second, third]);
  expect(done).toEqual(['another', 'first', 'third']);
  expect(isBusy('run')).toBe(false);
});

test('one that fails says so to its own caller only', async () => {
  const failed = inOrder('failing', () => Promise.reject(new Error('refused')));
  const next = inOrder('failing', async () => undefined);
  await expect(failed).rejects.toThrow('refused');
  await next;
  expect(isBusy('failing')).toBe(false);
});
