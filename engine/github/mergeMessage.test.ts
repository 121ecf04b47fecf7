import { expect, test } from 'vitest';
import { cpuMs } from '../../test/cpuMs.ts';
import { mergeMessage, type PullCommit } from './mergeMessage.ts';

const pull = { title: 'Tune nginx', body: 'Because of the load.\n', author: 'anna' };
const commit = (message: string, login = 'anna'): PullCommit => ({
  message,
  login,
  name: login,
  email: `${login}@example.org`,
});
const nothing = { squashMessage: undefined, mergeMessage: undefined };
const squash = (kind: string | undefined, commits: readonly PullCommit[], of = pull) =>
  mergeMessage('squash', { ...nothing, squashMessage: kind }, of, commits, 'Applied by run 1.');

test.each([
  ['PR_TITLE', 'Tune nginx\n\nApplied by run 1.'],
  [undefined, 'Tune nginx\n\nApplied by run 1.'],
  ['PR_BODY', 'Because of the load.\n\nApplied by run 1.'],
  ['BLANK', 'Applied by run 1.'],
])('a merge commit with %s', (kind, message) => {
  expect(mergeMessage('merge', { ...nothing, mergeMessage: kind }, pull, [], 'Applied by run 1.')).toBe(
    message,
  );
});

test.each([
  ['PR_BODY', [commit('one')], 'Because of the load.\n\nApplied by run 1.'],
  ['BLANK', [commit('one\n\nmore')], 'Applied by run 1.'],
  ['COMMIT_MESSAGES', [commit('one\n\nmore')], 'more\n\nApplied by run 1.'],
  ['COMMIT_MESSAGES', [commit('one')], 'Applied by run 1.'],
  [undefined, [commit('one'), commit('two\n\nmore')], '* one\n\n* two\n\nmore\n\nApplied by run 1.'],
] as const)('a squash with %s', (kind, commits, message) => {
  expect(squash(kind, commits)).toBe(message);
});

test('a description that was written in a browser has ends of lines as in git', () => {
  const of = { ...pull, body: 'Why.\r\n\r\nCo-authored-by: Carl C <carl@example.org>\r\n' };
  expect(squash('PR_BODY', [commit('one')], of)).toBe(
    'Why.\n\nApplied by run 1.\n\nCo-authored-by: Carl C <carl@example.org>',
  );
});

test('whoever wrote a part of a squash stays named, once and last', () => {
  const commits = [
    commit('one\n\nCo-authored-by: Carl C <carl@example.org>'),
    commit('two', 'bert'),
    commit('three\n\nco-authored-by: bert <Bert@example.org>'),
  ];
  const named = 'Applied by run 1.\n\nCo-authored-by: Carl C <carl@example.org>';
  expect(squash('PR_BODY', commits)).toBe(
    `Because of the load.\n\n${named}\nCo-authored-by: bert <bert@example.org>`,
  );
  expect(squash('COMMIT_MESSAGES', [commit('one\n\nwhy\n\nCo-authored-by: Carl C <carl@example.org>')])).toBe(
    `why\n\n${named}`,
  );
});

test('a text that is made to be slow is not', () => {
  const hostile = `co-authored-by:${' '.repeat(1_000_000)}`;
  expect(
    cpuMs(() => {
      expect(squash('PR_BODY', [commit(hostile)])).toBe('Because of the load.\n\nApplied by run 1.');
    }),
  ).toBeLessThan(2_000);
});
