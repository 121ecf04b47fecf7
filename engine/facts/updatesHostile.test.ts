import { describe, expect, it } from 'vitest';
import { soon } from '../../test/cpuMs.ts';
import { type UpdatesQuery, updatesFact } from './updates.ts';
import { collect } from './updatesTold.ts';
import { keptBackOf, updatesOf } from './updatesVersions.ts';

const query: UpdatesQuery = { fact: 'updates', key: 'all', updates: 'all' };

const ARCHIVE = '~ archive 1\thttp://a.example.org\tstable/main\to=A,a=stable,n=stable,l=A,c=main';

const times = <T>(count: number, made: (n: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, n) => made(n));

const update = (name: string, state = 'selected') =>
  `~ update ${name}\t1\t2\t2\t${name}\t1\t${state}\tarchive`;

describe('what a host that lies tells of its updates', () => {
  it(
    'is refused where the same package is told again and again',
    soon(() => {
      const lines = ['apt', ARCHIVE];
      const name = 'a'.repeat(16);
      for (let n = 0; n < 1_600; n++) lines.push(update(name), `~ version ${name}\t2`, `~ of ${name}\t2\t1`);
      expect(() => updatesFact.parse(lines, query)).toThrow(/not understood: update a{16} twice/);
    }),
  );

  it.each([
    ['an archive', [ARCHIVE, ARCHIVE]],
    ['an update', [update('curl'), update('curl')]],
    ['a change', ['~ change curl\t1\t2', '~ change curl\t1\t3']],
  ])('is refused where %s is told twice', (_, lines) => {
    expect(() => updatesFact.parse(['apt', ...lines], query)).toThrow(/not understood: \S+ \S+ twice/);
  });

  it(
    'may have many versions of a package in many archives, each once',
    soon(() => {
      const archives = times(300, (n) => `~ archive ${n}\thttp://a.example.org\tmain\to=A,l=A`);
      const versions = times(3_000, (n) => `~ version curl\t${n}`);
      const of = times(3_000, (n) => `~ of curl\t2\t${n % 300}`);
      const { updates } = updatesFact.parse(['apt', ...archives, update('curl'), ...versions, ...of], query);
      expect(updates[0]?.versions).toHaveLength(3_000);
      expect(updates[0]?.versions[2]?.archives).toHaveLength(300);
    }),
  );

  it('takes a version that apt names twice for one: two archives may have built it differently', () => {
    const other = ARCHIVE.replace('archive 1', 'archive 2').replace('l=A', 'l=Debian-Security');
    const twice = ['~ version curl\t2', '~ of curl\t2\t1', '~ version curl\t2', '~ of curl\t2\t2'];
    const { updates } = updatesFact.parse(['apt', ARCHIVE, other, update('curl'), ...twice], query);
    expect(updates[0]?.security).toBe(true);
    expect(updates[0]?.versions.map(({ archives }) => archives.map(({ label }) => label))).toEqual([
      ['A', 'Debian-Security'],
    ]);
  });

  it(
    'says of an archive no more than people read, and is still taken for what it says',
    soon(() => {
      const long = (field: string) => `${field}${'x'.repeat(9_000)}`;
      const release = `o=${long('O')},a=${long('A')},n=${long('N')}-security,l=${long('L')}`;
      const archive = `~ archive 1\t${long('http://a.example.org/')}\t${long('main')}\t${release}`;
      const lines = ['apt', archive, update('curl'), '~ version curl\t2', '~ of curl\t2\t1'];
      const [{ security, versions } = { security: false, versions: [] }] = updatesFact.parse(
        lines,
        query,
      ).updates;
      expect(security).toBe(true);
      const { security: _, ...told } = versions[0]?.archives[0] ?? { security: false };
      expect(Object.values(told).map((one) => String(one).length)).toEqual(Array(6).fill(300));
    }),
  );

  it(
    'has at most 2,000 changes',
    soon(() => {
      const change = (n: number) => `~ change p${n}\t1\t2`;
      expect(updatesFact.parse(['apt', ...times(2_000, change)], query).changes).toHaveLength(2_000);
      expect(() => updatesFact.parse(['apt', ...times(2_001, change)], query)).toThrow(
        'the host told of 2001 packages that its apt would update at once; at most 2000 are planned, so update some of them by hand first',
      );
    }),
  );

  it(
    'has at most 200 vulnerabilities that one changelog closes',
    soon(() => {
      const ids = times(4_000, (n) => `CVE-2026-${10_000 + n}`);
      const told = ['apt', update('curl'), `~ cves curl\t${ids.join(' ')}`];
      expect(updatesFact.parse(told, query).updates[0]?.cves).toEqual(ids.slice(0, 200));
    }),
  );

  it(
    'is refused where a line is longer than any of apt',
    soon(() => {
      const lines = ['apt', update('curl'), `~ cves curl\t${'CVE-2026-1234 '.repeat(1_000_000)}`];
      expect(() => updatesFact.parse(lines, query)).toThrow(/not understood: cves of 14000005 characters/);
    }),
  );
});

describe('many that apt keeps back', () => {
  const why = Buffer.from('it needs more').toString('base64');
  const names = times(12_000, (n) => `p${n}`);
  const told = collect([
    ...names.map((name) => update(name)),
    ...names.map((name) => `~ kept ${name}\t${why}`),
  ]);
  const updates = updatesOf(told, new Map());

  it(
    'are soon told with their reasons',
    soon(() => {
      const kept = keptBackOf(told, updates, []);
      expect(kept).toHaveLength(12_000);
      expect(kept[11_999]).toEqual({ name: 'p11999', to: '2', why: 'it needs more' });
    }),
  );
});
