import { expect, test } from 'vitest';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import { configurationClaims } from './claims.ts';
import { configuration } from './plan.ts';
import { EMPTY } from './testing/spec.ts';

const notify = { reload: [], restart: [] };
const content = { sha256: 'ab', size: 1, text: true };

const FULL: ResolvedConfiguration = {
  ...EMPTY,
  aptRepositories: {
    x: { uris: [], suites: [], components: [], architectures: [], key: content, armored: true },
  },
  packages: { nginx: { state: 'absent' } },
  directories: { '/srv/www': { state: 'absent', notify } },
  files: { '/etc/motd': { state: 'absent', notify } },
  groups: { deploy: { state: 'absent' } },
  users: { deploy: { state: 'absent' }, alice: { state: 'present', system: false, authorizedKeys: [] } },
  units: { 'a.service': { state: 'present', content }, 'b.service': { state: 'present', running: true } },
  sysctl: { 'net.ipv4.ip_forward': '1' },
  hostsEntries: { '10.0.0.9': ['db'] },
  timezone: 'UTC',
  locale: { LANG: 'C.UTF-8' },
  scripts: { once: { check: '', apply: '', timeoutSeconds: 1 } },
};

test('nothing claims nothing', () => {
  expect(configurationClaims(EMPTY)).toEqual([]);
});

test('every section claims its items, with the place of each', () => {
  const claims = configurationClaims(FULL);
  expect(Object.fromEntries(claims.map(({ item, pointer }) => [item, pointer]))).toEqual({
    'apt-repository:x': '/aptRepositories/x',
    'package:nginx': '/packages/nginx',
    'path:/srv/www': '/directories/~1srv~1www',
    'path:/etc/motd': '/files/~1etc~1motd',
    'group:deploy': '/groups/deploy',
    'user:deploy': '/users/deploy',
    'user:alice': '/users/alice',
    'authorized-keys:alice': '/users/alice/authorizedKeys',
    'unit:a.service': '/units/a.service',
    'unit:b.service': '/units/b.service',
    'path:/etc/systemd/system/a.service': '/units/a.service/content',
    'sysctl:net.ipv4.ip_forward': '/sysctl/net.ipv4.ip_forward',
    'hosts-entry:10.0.0.9': '/hostsEntries/10.0.0.9',
    'timezone:all': '/timezone',
    'locale:all': '/locale',
    'script:once': '/scripts/once',
  });
});

test('what the sections of the kind claim is all here, by the same names', () => {
  const items = new Set(configurationClaims(FULL).map(({ item }) => item));
  expect(configuration.claims(FULL).filter(({ item }) => !items.has(item))).toEqual([]);
});
