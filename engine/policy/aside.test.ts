import { expect, test } from 'vitest';
import { asideOf, sayAside, sayBranch } from './aside.ts';

test('only what goes into the default branch does not go aside', () => {
  expect(asideOf({ baseRef: 'main', defaultBranch: 'main' })).toBeUndefined();
  expect(asideOf({ baseRef: 'a', defaultBranch: 'main' })).toEqual({ into: 'a', defaultBranch: 'main' });
});

test.each([
  ['release/1.2_b', '`release/1.2_b`'],
  ['größe', '`größe`'],
  ['a`<!--@octocat\u202e|', '`a???--@octocat??`'],
  ['x'.repeat(255), `\`${'x'.repeat(50)}...\``],
])('a branch named %s is said without becoming markup', (name, said) => {
  expect(sayBranch(name)).toBe(said);
});

test('what is missing fits where it is shown', () => {
  const long = 'b'.repeat(255);
  expect(sayAside({ into: long, defaultBranch: long }).length).toBeLessThanOrEqual(300);
});
