import { expect, test } from 'vitest';
import { createTrees } from './trees.ts';

interface Tree {
  readonly name: string;
  readonly bytes: number;
}

/** What is made, in order. */
function madeBy(options: { readonly most?: number; readonly weightMax?: number }) {
  const made: string[] = [];
  const trees = createTrees<Tree>(({ bytes }) => bytes, options);
  const get = (name: string, bytes = 1): Promise<Tree> =>
    trees.get(name, async () => {
      made.push(name);
      return { name, bytes };
    });
  return { made, get };
}

test('the tree that was used least recently goes, so a base that all share stays', async () => {
  const { made, get } = madeBy({ most: 3 });
  for (const name of ['base', 'a', 'base', 'b', 'base', 'c', 'base', 'd', 'base']) await get(name);
  expect(made).toEqual(['base', 'a', 'b', 'c', 'd']);
});

test('trees that are too much together go, however few they are; the newest stays whatever it weighs', async () => {
  const { made, get } = madeBy({ weightMax: 10 });
  await get('small', 4);
  await get('other', 4);
  await get('small', 4);
  await get('huge', 20);
  await get('huge', 20);
  expect(made).toEqual(['small', 'other', 'huge']);
});

test('those who work on one tree hold it once, also when it is kept no more', async () => {
  const { made, get } = madeBy({ most: 1 });
  const mine = await get('mine');
  for (const name of ['a', 'b', 'c']) await get(name);
  expect(await get('mine')).toBe(mine);
  const both = await Promise.all([get('new'), get('new')]);
  expect(both[0]).toBe(both[1]);
  expect(made).toEqual(['mine', 'a', 'b', 'c', 'new']);
});

test('what failed is made again', async () => {
  const trees = createTrees<Tree>(() => 1);
  const failing = trees.get('tree', () => Promise.reject(new Error('GitHub is away')));
  await expect(failing).rejects.toThrow('GitHub is away');
  expect(await trees.get('tree', async () => ({ name: 'tree', bytes: 1 }))).toMatchObject({ name: 'tree' });
});
