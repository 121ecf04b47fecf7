import { expect, test } from 'vitest';
import { toRepositoryError } from './error.ts';

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
