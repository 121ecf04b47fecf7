import { expect, test } from 'vitest';
import { oneByOne } from './oneByOne.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('work of one name waits for what came before, also where that fails; work of another does not', async () => {
  const seen: string[] = [];
  const work =
    (name: string, fails = false) =>
    async () => {
      seen.push(`${name} begins`);
      await turn();
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const first = oneByOne('infra', work('first', true));
  const second = oneByOne('infra', work('second'));
  const other = oneByOne('web', work('other'));
  await expect(first).rejects.toThrow('first');
  expect(await second).toBe('second');
  expect(await other).toBe('other');
  const ofInfra = seen.filter((each) => !each.startsWith('other'));
  expect(ofInfra).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  expect(seen.indexOf('other begins')).toBeLessThan(seen.indexOf('first ends'));
  expect(await oneByOne('infra', work('third'))).toBe('third');
});
