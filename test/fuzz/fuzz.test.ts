import { describe, expect, test } from 'vitest';
import { casesOf, inputOfCase } from './cases.ts';
import { minimise } from './minimise.ts';
import { failureOf, inputOf } from './run.ts';
import { Broken, type Target } from './target.ts';
import { TARGETS } from './targets.ts';

/** Few, and always the same: the long run is `npm run -s fuzz`. */
const SEED = 1;
const INPUTS = 60;

describe.each(TARGETS.map((target) => [target.name, target] as const))('%s', (_, target) => {
  test('every good input holds', { timeout: 60_000 }, async () => {
    for (const seed of target.seeds()) expect(await failureOf(target, seed)).toBeUndefined();
  });

  test('a few bad ones hold', { timeout: 120_000 }, async () => {
    const seeds = target.seeds();
    for (let n = 0; n < INPUTS; n += 1) {
      const input = inputOf(target, seeds, SEED, n);
      const failure = await failureOf(target, input);
      expect(failure === undefined ? '' : `case ${n}: ${failure.message}\n${failure.stack}`).toBe('');
    }
  });

  const cases = casesOf(target.name).map((one) => [one.name, one] as const);
  if (cases.length > 0)
    test.each(cases)('what once did harm: %s', { timeout: 60_000 }, async (_name, one) => {
      const failure = await failureOf(target, inputOfCase(one));
      expect(failure?.message ?? '').toBe('');
    });
});

describe('the fuzzer itself', () => {
  const needle: Target = {
    name: 'needle',
    about: '',
    seeds: () => [Buffer.from('hay hay hay')],
    mutate: (_, input) => input,
    check: (input) => {
      if (input.includes('needle')) throw new Broken('found 1');
    },
    secondsMax: 1,
  };

  test('makes the same inputs of the same seed, and others of another', () => {
    for (const target of TARGETS) {
      const seeds = target.seeds();
      const made = (seed: number) =>
        [1, 2, 3, 4].map((n) => inputOf(target, seeds, seed, n).toString('base64'));
      expect(made(7)).toEqual(made(7));
      expect(made(7)).not.toEqual(made(8));
    }
  });

  test('notices what does not hold, and what takes too long', async () => {
    expect((await failureOf(needle, Buffer.from('a needle')))?.message).toMatch(/found 1/);
    const slow = { ...needle, secondsMax: 0 };
    expect((await failureOf(slow, Buffer.alloc(1000)))?.message).toMatch(/took/);
  });

  test('leaves out of an input what does not matter', async () => {
    const fails = async (input: Buffer) => (await failureOf(needle, input)) !== undefined;
    const smallest = await minimise(
      Buffer.from(`${'hay '.repeat(50)}a needle in it${'hay '.repeat(50)}`),
      fails,
    );
    expect(smallest.toString()).toBe('needle');
  });
});
