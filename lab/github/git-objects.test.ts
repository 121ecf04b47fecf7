import { expect, test } from 'vitest';
import {
  commitContent,
  identityDate,
  objectSha,
  parseCommit,
  parseTree,
  treeContent,
} from './git-objects.ts';

const BLOB = 'ce013625030ba8dba906f756967f9e9ca394464a';

test('objects have the ids that git gives them', () => {
  expect(objectSha('blob', Buffer.from('hello\n'))).toBe(BLOB);
  expect(objectSha('tree', Buffer.alloc(0))).toBe('4b825dc642cb6eb9a060e54bf8d69288fbee4904');
});

test('trees sort folders as if they ended in a slash, and read back', () => {
  const entry = (path: string, type: string, mode: string) => ({ path, type, mode, sha: BLOB });
  const entries = [
    entry('a', 'tree', '040000'),
    entry('a.txt', 'blob', '100644'),
    entry('a-b', 'blob', '100755'),
  ];
  const read = parseTree(treeContent(entries));
  expect(read.map(({ path }) => path)).toEqual(['a-b', 'a.txt', 'a']);
  expect(read).toEqual(expect.arrayContaining(entries));
});

test('a commit reads back, with a zone and an odd name', () => {
  const data = {
    message: 'Title\n\nBody',
    author_name: 'Änna <x',
    author_email: 'a@example.com',
    author_date: '2026-01-02T03:04:05Z',
    committer_name: 'GitHub',
    committer_email: 'noreply@github.com',
    committer_date: '2026-01-02T03:04:06Z',
    tree_sha: BLOB,
    parent_shas: [BLOB, BLOB],
  };
  expect(parseCommit(commitContent(data))).toEqual(data);
  expect(identityDate('2026-01-02T05:04:05+02:00')).toBe('1767323045 +0200');
});

test('a commit without an author is refused by name', () => {
  expect(() => parseCommit(Buffer.from(`tree ${BLOB}\n\nno author\n`))).toThrow(/git identity/);
});
