import { expect, test } from 'vitest';
import { hostKeyOf } from '../../test/hostKey.ts';
import { checkRepository } from '../spec/check.ts';
import { repository, server } from '../spec/testing.ts';
import { pinFindings } from './firstUse.ts';
import { droppedPins } from './unpinned.ts';

const bare = (name: string, address: string) =>
  `{apiVersion: doaas/v1, kind: Server, metadata: {name: ${name}}, spec: {address: ${address}}}\n`;
const seen = { firstSeen: '2026-11-26T11:00:00.000Z', hostKeys: [hostKeyOf('a')] };

function resolved(yaml: string) {
  const { resolution, unpinned, errors } = checkRepository(repository({ 's.yaml': yaml }));
  expect(errors).toEqual([]);
  return { merged: resolution, unpinned };
}

test('a server that was never pinned may be met', () => {
  const now = resolved(`${bare('new', 'new.test')}---\n${server('a')}`);
  expect(now.unpinned.map(({ name }) => name)).toEqual(['new']);
  expect(droppedPins(now, [resolved(server('a')).merged])).toEqual([]);
});

test.each([
  ['its key is dropped', bare('a', 'a.test'), /^Server a is pinned to ssh-ed25519 SHA256:\S+, so it cannot/],
  ['and its address changed', bare('a', 'elsewhere.test'), /^Server a is pinned to/],
  ['it goes by another name', bare('b', 'a.test'), /^Server b has the address of a, which is pinned to/],
])('one that is pinned may not: %s', (_, yaml, words) => {
  const [error, ...more] = droppedPins(resolved(yaml), [resolved(server('a')).merged]);
  expect(error?.message).toMatch(words);
  expect(error?.position).toMatchObject({ file: 's.yaml', line: 1 });
  expect(more).toEqual([]);
});

test('a plan says that the key of a server changes, and nothing where it stays or was not known', () => {
  const [host] = resolved(server('a')).merged.hosts;
  if (host === undefined) throw new Error('no host');
  const other = hostKeyOf('another');
  const was = (hostKeys: readonly string[]) => ({ ...host.server, hostKeys });
  expect(pinFindings(host, undefined)).toEqual([]);
  expect(pinFindings(host, was([]))).toEqual([]);
  expect(pinFindings(host, was([hostKeyOf('a')]))).toEqual([]);
  expect(pinFindings(host, was([other]))).toMatchObject([
    {
      severity: 'warning',
      document: 'Server/a',
      message: expect.stringMatching(/^the host key of a changes: from now on it is ssh-ed25519 SHA256:/),
    },
  ]);
  expect(pinFindings(host, was([hostKeyOf('a'), other]))).toHaveLength(1);
});

test('a key that was only seen is no pin', () => {
  const { merged } = resolved(server('a'));
  const hosts = merged.hosts.map((host) => ({ ...host, server: { ...host.server, ...seen } }));
  expect(droppedPins(resolved(bare('a', 'a.test')), [{ ...merged, hosts }])).toEqual([]);
});
