import { expect, it } from 'vitest';
import { together } from './together.ts';

it('writes what comes in one turn, or during a write, together, and answers each', async () => {
  const writes: (readonly number[])[] = [];
  const double = together(async (items: readonly number[]) => {
    writes.push(items);
    if (writes.length === 1) later = double(4);
    return items.map((n) => n * 2);
  }, 3);
  let later: Promise<number> | undefined;
  expect(await Promise.all([double(1), double(2)])).toEqual([2, 4]);
  expect(await later).toBe(8);
  expect(writes).toEqual([[1, 2], [4]]);
});

it('bounds what is written together', async () => {
  const sizes: number[] = [];
  const write = together(async (items: readonly number[]) => {
    sizes.push(items.length);
    return items;
  }, 3);
  await Promise.all([1, 2, 3, 4, 5, 6, 7].map(write));
  expect(sizes).toEqual([3, 3, 1]);
});

it('tells a failure to each whose write it was, and goes on', async () => {
  let fails = true;
  const write = together(async (items: readonly number[]) => {
    if (!fails) return items;
    fails = false;
    throw new Error('the disk is full');
  }, 2);
  const answers = await Promise.allSettled([write(1), write(2), write(3)]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  expect(await write(4)).toBe(4);
});
