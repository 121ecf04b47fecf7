import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
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
