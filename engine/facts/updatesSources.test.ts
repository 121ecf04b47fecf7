import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type UpdatesQuery, type UpdatesState, updatesFact } from './updates.ts';
import { SOURCES } from './updatesSources.ts';

const query: UpdatesQuery = { fact: 'updates', key: 'all', updates: 'security' };
const DAY = 86_400;

describe('the archives that apt is to read', () => {
  const lists = mkdtempSync(join(tmpdir(), 'doaas-lists-'));
  afterAll(() => rmSync(lists, { recursive: true }));
  const put = (name: string, text = '') => writeFileSync(join(lists, name), text);
  const release = (label: string, more = '') =>
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: ${label}\nSuite: stable\nCodename: bookworm\n${more}Date: Sat, 28 Nov 2026 09:55:41 UTC\nMD5Sum:\n 1 2 Packages\n`;

  /** As apt-get indextargets of apt 2.6 says it, where it is not to say what the Release files do. */
  const target = (uri: string, suite: string, key: string, file: string) =>
    [uri, suite, key, join(lists, file)].join('\t');
  const told = (targets: readonly string[], seconds = 0): UpdatesState => {
    const script = [
      'told() { printf "%s\\n" "$targets"; }',
      `stat() { echo $(($(date +%s) - ${seconds})); }`,
      SOURCES.replace('apt-get indextargets', 'told'),
      'echo apt; doaas_sources',
    ].join('\n');
    const env = { ...process.env, targets: targets.join('\n') };
    return updatesFact.parse(
      execFileSync('sh', ['-c', script], { encoding: 'utf8', env }).split('\n'),
      query,
    );
  };

  const MAIN = target(
    'http://deb.example.org/debian/',
    'bookworm',
    'main/binary-amd64/Packages',
    'deb.example.org_debian_dists_bookworm_main_binary-amd64_Packages',
  );

  it('are told once each, with how long ago they answered, and which of them is one for security', () => {
    put('deb.example.org_debian_dists_bookworm_InRelease', release('Debian'));
    put('deb.example.org_x%5fy_dists_bookworm-security_updates_Release', release('Debian-Security'));
    const security = (part: string) =>
      target(
        'http://deb.example.org/x_y/',
        'bookworm-security/updates',
        `${part}/binary-amd64/Packages`,
        `deb.example.org_x%5fy_dists_bookworm-security_updates_${part.replace('_', '%5f')}_binary-amd64_Packages`,
      );
    expect(told([MAIN, MAIN, security('main'), security('con_trib')], 40 * DAY).sources).toEqual([
      {
        uri: 'http://deb.example.org/debian/',
        suite: 'bookworm',
        read: true,
        security: false,
        ageSeconds: expect.closeTo(40 * DAY, -2),
      },
      {
        uri: 'http://deb.example.org/x_y/',
        suite: 'bookworm-security/updates',
        read: true,
        security: true,
        ageSeconds: expect.closeTo(40 * DAY, -2),
      },
    ]);
  });

  it('count from the time of change, as an archive that has nothing new leaves the time of its file', () => {
    const name = join(lists, 'deb.example.org_debian_dists_bookworm_InRelease');
    put('deb.example.org_debian_dists_bookworm_InRelease', release('Debian'));
    utimesSync(name, 0, 0);
    const script = `now=$(date +%s)\n${SOURCES}\ndoaas_source '${name.replace('_InRelease', '')}'`;
    const [read, age] = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\t');
    expect([read, Number(age)]).toEqual(['yes', expect.closeTo(0, -2)]);
  });

  it('are past their validity where the Release file says so, and not before', () => {
    const of = (valid: string) => {
      put('deb.example.org_debian_dists_bookworm_InRelease', release('Debian', `Valid-Until: ${valid}\n`));
      return told([MAIN]).sources?.[0]?.expiredSeconds;
    };
    expect(of(new Date(Date.now() - 3 * DAY * 1000).toUTCString())).toBeCloseTo(3 * DAY, -2);
    expect(of(new Date(Date.now() + 3 * DAY * 1000).toUTCString())).toBeUndefined();
    expect(of('whenever; $(reboot)')).toBeUndefined();
  });

  it('have never been read, or nobody notes when, and none is a CD', () => {
    put('plain.example.org_._Packages.lz4');
    const never = target('http://me:secret@a.example.org/', './', 'Packages', 'a.example.org_._Packages');
    const plain = target('http://plain.example.org/', './', 'Packages', 'plain.example.org_._Packages');
    const cd = target('cdrom:[Debian]/', 'bookworm', 'main/binary-amd64/Packages', 'Debian_Packages');
    const { sources } = told([never, plain, cd]);
    expect(sources).toEqual([
      { uri: 'http://a.example.org/', suite: './', read: false, security: false },
      { uri: 'http://plain.example.org/', suite: './', read: true, security: false },
    ]);
    expect(told(['']).sources).toEqual([]);
  });

  it('are not known of an apt that does not name them', () => {
    const script = `${SOURCES.replace('apt-get indextargets', 'false')}\ndoaas_sources`;
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe('');
    expect(updatesFact.parse(['apt', '~ lists 900'], query)).not.toHaveProperty('sources');
  });
});

describe('what a host tells of its archives', () => {
  const source = (n: number, more = '') =>
    `~ source http://a.example.org/${n}\tbookworm\tyes\t900\t-\to=A,a=stable,n=bookworm,l=A${more}`;

  it('names what no archive of it is, of those that a policy takes for one of security', () => {
    const securityOrigins = [{ origin: 'A', label: 'A' }, { label: 'Acme' }];
    const state = updatesFact.parse(['apt', '~ sources', source(1)], { ...query, securityOrigins });
    expect(state.sources?.map(({ security }) => security)).toEqual([true]);
    expect(state.unmatchedOrigins).toEqual([{ label: 'Acme' }]);
    expect(updatesFact.parse(['apt', '~ sources', source(1)], query)).not.toHaveProperty('unmatchedOrigins');
  });

  it.each([
    [
      'more archives than there are',
      Array.from({ length: 501 }, (_, n) => source(n)),
      /told of 501 archives/,
    ],
    ['an age that is none', ['~ source http://a\tx\tyes\t-5\t-\to=A'], /not understood: -5/],
    ['an end that is none', ['~ source http://a\tx\tyes\t5\tnever\to=A'], /not understood: never/],
  ])('is refused where it is %s', (_, lines, problem) => {
    expect(() => updatesFact.parse(['apt', '~ sources', ...lines], query)).toThrow(problem);
  });

  it('is cut to what people read', { timeout: 2_000 }, () => {
    const long = 'x'.repeat(9_000);
    const line = `~ source http://${long}\t${long}\tyes\t5\t-\t${'o=A,a=B,n=C,'.repeat(3_000)}`;
    const [told] = updatesFact.parse(['apt', '~ sources', line], query).sources ?? [];
    expect([told?.uri.length, told?.suite.length, told?.security]).toEqual([300, 300, false]);
  });
});
