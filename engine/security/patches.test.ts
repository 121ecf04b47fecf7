import { describe, expect, it } from 'vitest';
import { soon } from '../../test/cpuMs.ts';
import { itemKey } from '../facts/fact.ts';
import { updatesFact } from '../facts/updates.ts';
import { checkRepository } from '../spec/check.ts';
import { repository, server } from '../spec/testing.ts';
import { changelogQuery, patchesOf } from './patches.ts';
import { PATCHES } from './testing/hosts.ts';

it('a changelog is read down to the version of the source, as it has no others', () => {
  const [curl] = PATCHES.security;
  const bsdutils = {
    name: 'bsdutils',
    from: '1:2.38.1-5+deb12u1',
    to: '1:2.38.1-5+deb12u3',
    source: 'util-linux',
    sourceVersion: '2.38.1-5+deb12u1',
  };
  expect(changelogQuery(bsdutils)).toEqual({
    fact: 'changelog',
    key: 'bsdutils',
    from: '2.38.1-5+deb12u1',
  });
  expect(curl && changelogQuery(curl).from).toBe('7.88.1-10+deb12u4');
});

/** What the report says of a server that answers with these lines. */
function told(...output: readonly string[]) {
  return patchesOf(...answered(...output));
}

function answered(...output: readonly string[]): Parameters<typeof patchesOf> {
  const [host] = checkRepository(repository({ 's.yaml': server('web-1') })).resolution.hosts;
  if (host === undefined) throw new Error('there is no host');
  const query = { fact: 'updates', key: 'all', updates: 'all' } as const;
  const state = updatesFact.parse(output, query);
  return [host, new Map([[itemKey(updatesFact.fact, 'all'), { query, state, raw: '' }]])];
}

it('without package lists it is not known what is outstanding', () => {
  expect(told('apt', '~ lists 900')).toMatchObject({ security: [], listsAgeSeconds: 900 });
  expect(told('apt', '~ lists 900').unknown).toBeUndefined();
  expect(told('apt')).toMatchObject({ security: [], unknown: true });
  expect(told('apt').listsAgeSeconds).toBeUndefined();
  const half = `~ dpkg-problem ${Buffer.from('half configured').toString('base64')}`;
  expect(told('apt', '~ lists 900', half)).toMatchObject({ dpkgProblem: 'half configured' });
  expect(told('apt', '~ lists 900', half).problem).toBeUndefined();
  expect(told('absent')).toMatchObject({ problem: 'the server has no apt' });
  expect(told('absent').unknown).toBeUndefined();
});

it('names the archives that are not read, fifty of them at most', () => {
  const source = (n: number, age: number) =>
    `~ source http://a.example.org/${n}\tbookworm-security\tyes\t${age}\t-\tl=Debian-Security`;
  const lines = ['apt', '~ lists 900', '~ sources', source(0, 900)];
  expect(told(...lines)).not.toHaveProperty('staleArchives');
  expect(told(...lines, source(1, 4 * 86_400)).staleArchives).toEqual([
    {
      uri: 'http://a.example.org/1',
      suite: 'bookworm-security',
      security: true,
      why: 'silent',
      seconds: 4 * 86_400,
    },
  ]);
  const many = Array.from({ length: 400 }, (_, n) => source(n, 4 * 86_400));
  expect(told(...lines, ...many).staleArchives).toHaveLength(50);
});

it('tells a server without an archive of security updates from one that is up to date', () => {
  const source = (release: string, read = 'yes') =>
    `~ source http://a.example.org/\tbookworm\t${read}\t900\t-\t${release}`;
  const lines = ['apt', '~ lists 900', '~ sources'];
  const none = (...more: readonly string[]) => told(...lines, ...more).noSecurityArchive;
  expect(none(source('o=Debian,l=Debian'))).toBe(true);
  expect(none(source('o=Debian,l=Debian'), source('', 'no'))).toBe(true);
  expect(none()).toBe(true);
  expect(none(source('o=Debian,l=Debian'), source('o=Debian,l=Debian-Security'))).toBeUndefined();
  // nothing is read, or an engine before did not ask
  expect(none(source('', 'no'))).toBeUndefined();
  expect(told('apt', '~ lists 900').noSecurityArchive).toBeUndefined();
});

describe('a server with much outstanding that apt keeps back', () => {
  const names = Array.from({ length: 20_000 }, (_, n) => `p${n}`);
  const why = Buffer.from('it needs more').toString('base64');
  const lines = names.flatMap((name) => [
    `~ update ${name}\t1\t2\t2\t${name}\t1\tselected\tarchive`,
    `~ version ${name}\t2`,
    `~ of ${name}\t2\t1`,
    `~ kept ${name}\t${why}`,
  ]);
  const archive = '~ archive 1\thttp://a.example.org\tmain\to=A,l=Debian-Security';
  const [host, readings] = answered('apt', '~ lists 900', archive, ...lines);

  it(
    'is soon told',
    soon(() => {
      const { security } = patchesOf(host, readings);
      expect(security.filter(({ keptBack }) => keptBack === 'it needs more')).toHaveLength(2_000);
    }),
  );
});

it('what a server makes up is bounded: the updates told one by one, the others counted, and what changelogs name', () => {
  const ids = Array.from({ length: 600 }, (_, i) => `CVE-2026-${10_000 + i}`).join(' ');
  const lines = Array.from({ length: 2_500 }, (_, i) => [
    `~ update p${i}\t1\t2\t2\ts${i}\t1\tselected\tarchive`,
    `~ version p${i}\t2`,
    `~ of p${i}\t2\t1`,
    ...(i < 120 ? [`~ cves s${i}\t${ids}`] : []),
  ]).flat();
  const archive =
    '~ archive 1\thttp://deb.example\tbookworm-security/main\to=Debian,l=Debian-Security,n=bookworm-security';
  const { security, moreSecurity, others } = told('apt', '~ lists 900', archive, ...lines);
  expect([security.length, moreSecurity, others]).toEqual([2_000, 500, 0]);
  const named = security.map(({ changelog = [] }) => changelog.length);
  expect(named.slice(0, 2)).toEqual([200, 200]);
  expect(named.reduce((sum, count) => sum + count, 0)).toBe(20_000);
  expect(told('apt', '~ lists 900', archive, ...lines.slice(0, 8))).not.toHaveProperty('moreSecurity');
});
