import { expect, test } from 'vitest';
import { allEnded, inOrder, isBusy } from './inOrder.ts';

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

test('what fails leaves nothing of it under way that could overwrite what is published next', async () => {
  const done: string[] = [];
  let release: () => void = () => undefined;
  const heldUp = new Promise<void>((resolve) => {
    release = resolve;
  });
  const parts = () => [
    Promise.reject(new Error('502')),
    heldUp.then(() => void done.push('of the first, late')),
  ];
  const failed = inOrder('parts', () => allEnded(parts()));
  const next = inOrder('parts', async () => void done.push('next'));
  setImmediate(release);
  await expect(failed).rejects.toThrow('502');
  await next;
  expect(done).toEqual(['of the first, late', 'next']);
});
