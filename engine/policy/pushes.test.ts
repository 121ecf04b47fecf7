import { expect, test } from 'vitest';
import { type Push, pushersFrom } from './pushes.ts';

const ZEROS = '0'.repeat(40);
const push = (before: string, after: string, login: string): Push => ({
  before,
  after,
  account: { login, id: login.length },
});
const walk = (pushes: readonly Push[], head: string, starts: readonly string[] = ['base']) => {
  const { pushers, gap } = pushersFrom(pushes, head, starts);
  return [pushers.map(({ login }) => login).sort(), gap];
};

test('everybody who pushed since the branch was made, once each', () => {
  const pushes = [push(ZEROS, 'a', 'anna'), push('a', 'b', 'rita1'), push('b', 'c', 'anna')];
  expect(walk(pushes, 'c')).toEqual([['anna', 'rita1'], undefined]);
});

test('not who pushed before the branch left its base, nor to an earlier branch of this name', () => {
  const earlier = [push(ZEROS, 'x', 'old'), push('x', 'base', 'older')];
  expect(walk([...earlier, push('base', 'a', 'anna')], 'a')).toEqual([['anna'], undefined]);
  expect(walk([...earlier, push(ZEROS, 'a', 'anna')], 'a')).toEqual([['anna'], undefined]);
});

test('whoever pushed what another one brought back', () => {
  const pushes = [push('base', 'evil', 'rita'), push('evil', 'base', 'rita'), push('base', 'evil', 'bot')];
  expect(walk(pushes, 'evil')).toEqual([['bot', 'rita'], undefined]);
  const amended = [push(ZEROS, 'a', 'rita'), push('a', 'b', 'bot'), push('b', 'a', 'bot')];
  expect(walk(amended, 'a')).toEqual([['bot', 'rita'], undefined]);
});

test('a head, or a commit before it, that no push brought is said', () => {
  expect(walk([push(ZEROS, 'a', 'anna')], 'b')).toEqual([[], 'b']);
  expect(walk([push('b', 'c', 'anna')], 'c')).toEqual([['anna'], 'b']);
});

test('a head that is in its base has no pushers, and none are missing', () => {
  expect(walk([], 'base')).toEqual([[], undefined]);
});
