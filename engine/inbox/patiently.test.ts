import { expect, test } from 'vitest';
import { patiently } from './patiently.ts';

const PATIENCE = { forMs: 200, everyMs: 20 };

function failing(times: number, message: string) {
  let tries = 0;
  const work = async (): Promise<number> => {
    tries += 1;
    if (tries <= times) throw new Error(message);
    return tries;
  };
  return { work, tries: () => tries };
}

const passes = (error: unknown): boolean => error instanceof Error && error.message === 'it restarts';

test('what passes is tried again until it has', async () => {
  const long = { ...PATIENCE, forMs: 20_000 };
  expect(await patiently(long, passes, failing(3, 'it restarts').work)).toBe(4);
});

test('what does not pass is thrown at once, and what lasts too long in the end', async () => {
  const wrong = failing(1, 'a defect');
  await expect(patiently(PATIENCE, passes, wrong.work)).rejects.toThrow('a defect');
  expect(wrong.tries()).toBe(1);
  const lasting = failing(1_000, 'it restarts');
  await expect(patiently(PATIENCE, passes, lasting.work)).rejects.toThrow('it restarts');
  expect(lasting.tries()).toBeGreaterThan(1);
});
