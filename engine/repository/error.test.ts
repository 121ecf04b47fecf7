import { expect, test } from 'vitest';
import { toRepositoryError } from './error.ts';
import { TOO_MUCH } from './runGit.ts';

test.each([
  [401, 'repository-denied'],
  [403, 'repository-denied'],
  [451, 'repository-denied'],
  [404, 'repository-not-found'],
  [429, 'repository-unreachable'],
  [503, 'repository-unreachable'],
])('git that is answered %d says %s', (status, type) => {
  const words = `fatal: unable to access 'https://h/o/r.git/': The requested URL returned error: ${status}`;
  expect(toRepositoryError(new Error(words), 'fetch', [])).toMatchObject({ type });
});

test('what git says without end is not asked for again', () => {
  const error = toRepositoryError(new Error(TOO_MUCH), 'merge-tree', []);
  expect(error).toMatchObject({ type: 'too-large', retryable: false });
});
