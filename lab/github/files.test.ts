import { expect, test } from 'vitest';
import { parseChanges } from './files.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

test('reads raw records and counts, with a rename, a removal and a binary file', () => {
  const raw = [
    `:100644 100644 ${A} ${B} M`,
    'changed.txt',
    `:100644 100644 ${A} ${B} R090`,
    'old name.txt',
    'new name.txt',
    `:100644 000000 ${A} ${'0'.repeat(40)} D`,
    'gone.bin',
  ];
  const counts = ['2\t1\tchanged.txt', '1\t1\t', 'old name.txt', 'new name.txt', '-\t-\tgone.bin', ''];
  expect(parseChanges([...raw, ...counts].join('\0'))).toEqual([
    { status: 'modified', filename: 'changed.txt', previous: undefined, sha: B, additions: 2, deletions: 1 },
    {
      status: 'renamed',
      filename: 'new name.txt',
      previous: 'old name.txt',
      sha: B,
      additions: 1,
      deletions: 1,
    },
    { status: 'removed', filename: 'gone.bin', previous: undefined, sha: A, additions: 0, deletions: 0 },
  ]);
});
