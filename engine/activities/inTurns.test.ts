import { expect, test } from 'vitest';
import { inTurns } from './inTurns.ts';

test('what was given up while it waited for its turn is not begun', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const begun: string[] = [];
  const given = new AbortController();
  const never = new AbortController();
  let signal = never.signal;
  const { work, free } = inTurns(
    {
      work: async (name: string) => {
        begun.push(name);
        await held;
      },
      free: async () => 'at once',
    },
    ['free'],
    () => signal,
  );
  const first = [1, 2, 3, 4].map((n) => work(`first ${n}`));
  signal = given.signal;
  const late = work('given up');
  signal = never.signal;
  const next = work('next');
  expect(await free()).toBe('at once');
  expect(begun).toHaveLength(4);
  given.abort();
  release();
  await expect(late).rejects.toThrow();
  await Promise.all([...first, next]);
  expect(begun.slice(4)).toEqual(['next']);
});
