import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { soon } from '../../test/cpuMs.ts';
import { type PackageQuery, packageFact } from './package.ts';

const query: PackageQuery = { fact: 'package', key: 'nginx', want: 'present' };

describe('the package fact', () => {
  it('parses what apt would do', () => {
    const state = packageFact.parse(
      [
        'absent',
        '~ offer 1.22 http://deb.example.org/debian stable/main 1.22 1.20',
        '~ transaction',
        `~ problem ${Buffer.from('E: no').toString('base64')}`,
        '~ lists 60',
        '~ installs nginx libc',
        '~ installs more',
        '~ removes apache2',
      ],
      query,
    );
    expect(state).toEqual({
      present: false,
      hold: false,
      offer: {
        version: '1.22',
        origin: 'http://deb.example.org/debian stable/main',
        versions: ['1.22', '1.20'],
      },
      transaction: {
        installs: ['nginx', 'libc', 'more'],
        upgrades: [],
        downgrades: [],
        removes: ['apache2'],
        problem: 'E: no',
        listsAgeSeconds: 60,
      },
    });
  });

  it.each([
    ['what is no package', '~ removes aa=1 aa', /apt on the host named what is no package: aa=1$/],
    ['a sentence', '~ installs aa The following', /named what is no package: The$/],
    ['millions of packages', `~ removes ${'aa '.repeat(2_000_000)}`, /named more than 20000 packages/],
    ['millions in no line', `~ removes ${'  '.repeat(4_000_000)}`, /named more than 20000 packages/],
  ])(
    'refuses that apt would change %s',
    soon((_, line, message) => {
      expect(() => packageFact.parse(['absent', '~ transaction', line], query)).toThrow(message);
    }),
  );

  it(
    'has as many packages that apt would change as a server may have',
    soon(() => {
      const names = Array.from({ length: 20_000 }, (_, n) => `p${n}:amd64`);
      const lines = names.map((name) => `~ upgrades ${name}`);
      const state = packageFact.parse(['absent', '~ transaction', ...lines], query);
      expect(state.transaction?.upgrades).toEqual(names);
    }),
  );

  it(
    'has no more of what apt offers, or says of it, than is shown',
    soon(() => {
      const problem = Buffer.from('E: no\n'.repeat(1_000_000)).toString('base64');
      const offer = `~ offer 1.22 http://a.example.org/${'x'.repeat(9_000)} main ${'1.22 '.repeat(1_000_000)}`;
      const state = packageFact.parse(['absent', offer, '~ transaction', `~ problem ${problem}`], query);
      expect(state.offer?.versions).toEqual(Array(8).fill('1.22'));
      expect(state.offer?.origin).toHaveLength(305);
      expect(state.transaction?.problem).toHaveLength(2_000);
    }),
  );

  it.each([[['']], [[]], [['instaled 1 free']], [['~ offer - - -']]])('refuses %j', (lines) => {
    expect(() => packageFact.parse(lines, query)).toThrow(/^nginx: the host answered a package state/);
  });

  it('asks dpkg once for all packages, and apt only when something differs', () => {
    const text = packageFact.read([query, { ...query, key: 'curl' }]).text;
    expect(text.match(/dpkg-query/g)).toHaveLength(1);
    expect(packageFact.read([{ fact: 'package', key: 'nginx' }]).text).not.toContain('apt');
  });

  it('quotes names and versions', () => {
    const script = packageFact.read([{ fact: 'package', key: "$(id)'", version: '`id`' }]);
    const out = execFileSync('sh', ['-c', script.text], { encoding: 'utf8' });
    expect(out).not.toContain('uid=');
    expect(out).toMatch(/^= %24\(id\)'\nabsent\n/);
  });
});
