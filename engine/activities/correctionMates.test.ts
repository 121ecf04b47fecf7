import { expect, test } from 'vitest';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { besideOther, besideUnread, matesBy } from './correctionMates.ts';

const host = (name: string, cluster?: string) =>
  ({
    name,
    server: { labels: cluster === undefined ? {} : { cluster } },
    documents: [],
  }) as unknown as ResolvedHost;
const HOSTS = [host('db-1', 'x'), host('db-2', 'x'), host('db-3', 'y'), host('web-1')];
const spread = (label?: string) => ({ rollout: { spread: label } }) as unknown as ResolvedDocument;
const MATES = matesBy(HOSTS, [spread('cluster')]);

test.each([
  ['db-1', ['db-2'], /^db-2, which it stands in for, could not be read/],
  ['db-1', ['db-1', 'db-3', 'web-1'], undefined],
  ['web-1', ['db-1'], undefined],
] as const)('%s beside %j that were not read', (name, unread, reason) => {
  const said = besideUnread(name, new Set(unread), MATES);
  if (reason === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(reason);
});

test('without a label nobody stands in for anybody', () => {
  expect(besideUnread('db-1', new Set(['db-2']), matesBy(HOSTS, [spread()]))).toBeUndefined();
});

test('two documents do not change members of one group at the same time', () => {
  const other = { document: 'PatchPolicy/other', hosts: ['db-2', 'web-1'] };
  expect(besideOther(['db-3', 'db-1'], other, MATES)).toBe(
    'db-2, which db-1 stands in for, is being changed for PatchPolicy/other; the next reading goes on with it',
  );
  expect(besideOther(['db-3'], other, MATES)).toBeUndefined();
  // their runs wait for each other's locks
  expect(besideOther(['db-1', 'web-1'], other, MATES)).toBeUndefined();
});
