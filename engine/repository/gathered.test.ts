import { expect, it } from 'vitest';
import { gathered } from './gathered.ts';

it('takes what waits together, each once, and blames only what fails alone', async () => {
  const calls: string[][] = [];
  const work = async (ids: readonly string[]): Promise<void> => {
    calls.push([...ids]);
    if (ids.includes('bad')) throw new Error('no such commit');
  };
  const fetch = gathered(work, (id) => work([id]));
  const first = fetch('a');
  const later = ['b', 'bad', 'c', 'b'].map((id) =>
    fetch(id).then(
      () => 'good',
      () => 'bad',
    ),
  );
  await first;
  expect(await Promise.all(later)).toEqual(['good', 'bad', 'good', 'good']);
  expect(calls.slice(0, 1)).toEqual([['a', 'b', 'bad', 'c']]);
  await fetch('d');
  expect(calls.at(-1)).toEqual(['d']);
});
