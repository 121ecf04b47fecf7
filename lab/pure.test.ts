import { expect, test } from 'vitest';
import { cacheConfig } from './apt-cache.ts';
import { archiveSources, hostSources, parseAptSources } from './apt-sources.ts';
import { parseHierarchies } from './cgroups.ts';
import { misuseOf, newNames } from './cli.ts';
import { differing, MAY_DIFFER, type PathState, patternToRegExp } from './compare.ts';
import { freeIndexes } from './hosts.ts';
import { compareInventories, parseInventory } from './inventory.ts';

const DEB822 = `Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/x.gpg

Types: deb
URIs: https://mirror.example/security
Suites: bookworm-security
Components: main contrib

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://vendor.example/docker
Suites: bookworm
Components: stable
`;

test("only the distribution's own archive is taken, https goes through the cache", () => {
  const sources = archiveSources(parseAptSources('debian.sources', DEB822), 'bookworm');
  expect(sources.map((source) => source.suites)).toEqual([
    ['bookworm', 'bookworm-updates'],
    ['bookworm-security'],
  ]);
  const text = hostSources(sources);
  expect(text).toContain('URIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n');
  expect(text).toContain('URIs: http://HTTPS///mirror.example/security\n');
  expect(text).toContain('Signed-By: /usr/share/keyrings/x.gpg\n');
  expect(text).not.toMatch(/off|vendor|backports/);
});

test('one-line sources, with and without options', () => {
  const text = [
    'deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib # note',
    'deb http://b.example/debian bookworm main',
    'deb-src http://c.example/debian bookworm main',
    '# deb http://d.example/debian bookworm main',
  ].join('\n');
  expect(parseAptSources('sources.list', text)).toEqual([
    {
      uri: 'http://a.example/debian',
      suites: ['bookworm'],
      components: ['main', 'contrib'],
      signedBy: '/k.gpg',
    },
    { uri: 'http://b.example/debian', suites: ['bookworm'], components: ['main'] },
  ]);
});

test('the cache remaps nothing and uses a proxy only when there is one', () => {
  expect(cacheConfig('/c', '/l', undefined)).not.toMatch(/Remap|^Proxy/m);
  expect(cacheConfig('/c', '/l', 'http://proxy:3128')).toContain('\nProxy: http://proxy:3128\n');
});

test('control groups of version 1, hybrid and version 2', () => {
  const line = (path: string, type: string, options: string): string =>
    `30 24 0:26 / ${path} rw,nosuid - ${type} cgroup rw,${options}`;
  const hybrid = [
    line('/sys/fs/cgroup/memory', 'cgroup', 'memory'),
    line('/sys/fs/cgroup/cpuset', 'cgroup', 'cpuset'),
    line('/sys/fs/cgroup/unified', 'cgroup2', 'nsdelegate'),
    line('/somewhere/else', 'cgroup', 'pids'),
    '31 24 0:27 / /proc rw - proc proc rw',
  ].join('\n');
  expect(parseHierarchies(hybrid).map(({ path, version }) => [path, version])).toEqual([
    ['/sys/fs/cgroup/memory', 1],
    ['/sys/fs/cgroup/unified', 2],
  ]);
  expect(parseHierarchies(line('/sys/fs/cgroup', 'cgroup2', 'nsdelegate'))).toMatchObject([{ version: 2 }]);
});

test('addresses and names are the first free ones, and run out with a sentence', () => {
  expect(freeIndexes(new Set([2, 4]), 3)).toEqual([3, 5, 6]);
  expect(() => freeIndexes(new Set(), 300)).toThrow(/only 253 of 300 lab addresses are free/);
  expect(newNames(new Set(['host-1', 'web']), 2)).toEqual(['host-2', 'host-3']);
});

const FILE: PathState = { type: 'file', mode: 0o644, uid: 0, gid: 0, sha256: 'a', xattrs: {}, links: [] };

test.each<[string, Partial<PathState>]>([
  ['type', { type: 'fifo' }],
  ['content', { sha256: 'b' }],
  ['mode', { mode: 0o4644 }],
  ['owner', { gid: 5 }],
  ['xattrs', { xattrs: { 'user.a': '00' } }],
  ['target', { target: '/x' }],
  ['device', { device: '1:3' }],
  ['links', { links: ['/other'] }],
])('a changed %s is named', (what, change) => {
  expect(differing(FILE, { ...FILE, ...change })).toEqual([what]);
  expect(differing(FILE, { ...FILE })).toEqual([]);
});

test('a path that comes or goes', () => {
  expect(differing(undefined, FILE)).toEqual(['appeared']);
  expect(differing(FILE, undefined)).toEqual(['disappeared']);
});

test('patterns match whole paths, * within one name only', () => {
  expect(patternToRegExp('/a/*.b').test('/a/x.b')).toBe(true);
  expect(patternToRegExp('/a/*.b').test('/a/x/y.b')).toBe(false);
  expect(patternToRegExp('/a/*.b').test('/a/xcb')).toBe(false);
  expect(patternToRegExp('/a/**').test('/a/x/y')).toBe(true);
  expect(patternToRegExp('/a/**').test('/a')).toBe(false);
  expect(patternToRegExp('/a').test('/b/a')).toBe(false);
});

test('the list of what may differ gives a reason each, and spares nothing that an engine manages', () => {
  for (const { pattern, reason } of MAY_DIFFER) {
    expect(reason.length, pattern).toBeGreaterThan(10);
    expect(pattern).toMatch(/^\/(var|etc\/[a-z.]+(-|\.lock)$)/);
  }
  const allowed = MAY_DIFFER.map(({ pattern }) => patternToRegExp(pattern));
  const managed = ['/etc/passwd', '/etc/hosts', '/etc/nginx/nginx.conf', '/var/www', '/usr/bin/x'];
  for (const path of managed)
    expect(
      allowed.some((pattern) => pattern.test(path)),
      path,
    ).toBe(false);
});

test('inventories: what is gone and what is new, without what passes by itself', () => {
  const before = parseInventory(
    '=== packages\nb 1\nrun-a 1\n=== active units\nssh.service\nrun-u5.service\nsession-3.scope\n',
  );
  expect(before).toEqual({ packages: ['b 1', 'run-a 1'], 'active units': ['ssh.service'] });
  const after = parseInventory('=== packages\nrun-a 2\nb 1\n=== active units\n');
  expect(compareInventories(before, after)).toEqual([
    'active units: - ssh.service',
    'packages: - run-a 1',
    'packages: + run-a 2',
  ]);
});

test.each<[string[], string | undefined]>([
  [['up', '3'], undefined],
  [['up', '253'], undefined],
  [['up', 'alpha', 'beta'], undefined],
  [['up', '0'], 'A number of servers is from 1 to 253, not 0.'],
  [['up', '254'], 'A number of servers is from 1 to 253, not 254.'],
  [['up', '-1'], 'There is no option "-1".'],
  [['up'], 'Say how many, or their names.'],
  [['ssh'], 'Say which server.'],
  [['ssh', 'host-1', 'ls', '-l'], undefined],
  [['ssh', '-v', 'host-1'], 'There is no option "-v".'],
  [['down', 'host-1'], 'down takes no argument, not "host-1".'],
  [['destroy'], '"destroy" is none of up, status, ssh and down.'],
])('doaas lab %j', ([command, ...args], mistake) => {
  expect(misuseOf(command, args)).toBe(mistake);
});
