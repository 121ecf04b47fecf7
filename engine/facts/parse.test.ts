import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorizedKeysFact } from './authorizedKeys.ts';
import { FactError } from './fact.ts';
import { groupFact } from './group.ts';
import { homesFact } from './homes.ts';
import { hostsEntryFact } from './hostsEntry.ts';
import { inventoryFact } from './inventory.ts';
import { localeFact } from './locale.ts';
import { machineFact } from './machine.ts';
import { modeFact } from './mode.ts';
import { pamProfileFact } from './pamProfile.ts';
import { type PathQuery, pathFact } from './path.ts';
import { sshdFact } from './sshd.ts';
import { surveyFact } from './survey.ts';
import { procPath, sysctlFact, sysctlFile } from './sysctl.ts';
import { systemFact } from './system.ts';
import { timezoneFact } from './timezone.ts';
import { userFact } from './user.ts';
import { scriptDigest, userScriptFact } from './userScript.ts';

const parsers: Readonly<Record<string, (lines: readonly string[]) => unknown>> = {
  'authorized-keys': (lines) => authorizedKeysFact.parse(lines, { fact: 'authorized-keys', key: 'x' }),
  group: (lines) => groupFact.parse(lines, { fact: 'group', key: 'x' }),
  homes: (lines) => homesFact.parse(lines, { fact: 'homes', key: 'all' }),
  inventory: (lines) => inventoryFact.parse(lines, { fact: 'inventory', key: 'all' }),
  machine: (lines) => machineFact.parse(lines, { fact: 'machine', key: 'all' }),
  mode: (lines) => modeFact.parse(lines, { fact: 'mode', key: '/x' }),
  'pam-profile': (lines) => pamProfileFact.parse(lines, { fact: 'pam-profile', key: 'x' }),
  sshd: (lines) => sshdFact.parse(lines, { fact: 'sshd', key: 'all' }),
  survey: (lines) => surveyFact.parse(lines, { fact: 'survey', key: 'all' }),
  'hosts-entry': (lines) => hostsEntryFact.parse(lines, { fact: 'hosts-entry', key: 'x' }),
  locale: (lines) => localeFact.parse(lines, { fact: 'locale', key: 'all' }),
  path: (lines) => pathFact.parse(lines, { fact: 'path', key: '/x' }),
  script: (lines) => userScriptFact.parse(lines, { fact: 'script', key: 'x' }),
  sysctl: (lines) => sysctlFact.parse(lines, { fact: 'sysctl', key: 'x' }),
  system: (lines) => systemFact.parse(lines, { fact: 'system', key: 'all' }),
  timezone: (lines) => timezoneFact.parse(lines, { fact: 'timezone', key: 'all' }),
  user: (lines) => userFact.parse(lines, { fact: 'user', key: 'x' }),
};

const word = fc.constantFrom(
  'absent',
  'user',
  'group',
  'keys',
  'file',
  '~',
  'locale',
  'runtime',
  '12',
  ':',
  '',
  '=',
);
const line = fc.oneof(
  fc.string(),
  fc.array(word).map((words) => words.join(' ')),
);

describe('what a host answers is not trusted', () => {
  it.each(Object.entries(parsers))(
    '%s takes any lines, or says that it does not understand them',
    (_, parse) => {
      fc.assert(
        fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
          try {
            parse(lines);
          } catch (error) {
            expect(error).toBeInstanceOf(FactError);
          }
        }),
      );
    },
  );

  it.each(['authorized-keys', 'group', 'locale', 'path', 'script', 'sysctl', 'user'])(
    '%s never takes an empty answer for absence',
    (name) => {
      expect(() => parsers[name]?.([])).toThrow(FactError);
    },
  );
});

describe('parsed states', () => {
  it('user', () => {
    const lines = [
      'user 1:2:A, B:/home/x:/bin/sh',
      'groups adm,sudo',
      '~ primary two',
      '~ processes 3',
      '~ self yes',
    ];
    expect(parsers.user?.(lines)).toEqual({
      present: true,
      uid: 1,
      gid: 2,
      primaryGroup: 'two',
      groups: ['adm', 'sudo'],
      comment: 'A, B',
      home: '/home/x',
      shell: '/bin/sh',
      processes: 3,
      self: true,
    });
    expect(parsers.user?.(['absent', '~ taken root'])).toEqual({ present: false, uidTakenBy: 'root' });
  });

  it('sysctl: names swap dots and slashes, and never leave /proc/sys', () => {
    expect(procPath('net.ipv4.conf.eth0/1.forwarding')).toBe('/proc/sys/net/ipv4/conf/eth0.1/forwarding');
    expect(sysctlFile('net.ipv4.conf.eth0/1.forwarding')).toBe(
      '/etc/sysctl.d/99-zz-doaas-net.ipv4.conf.eth0_1.forwarding.conf',
    );
    for (const name of ['..', 'a.//.b', '.a', 'a.', '/.x'])
      expect(() => procPath(name), name).toThrow(FactError);
    expect(parsers.sysctl?.(['runtime 1 2', 'persisted 3', '~ writable no'])).toEqual({
      present: true,
      runtime: '1 2',
      persisted: '3',
      writable: false,
    });
  });

  it('a script digest changes with each text, and with the lack of an undo', () => {
    const digests = [
      { check: 'a', apply: 'b' },
      { check: 'a', apply: 'b', undo: '' },
      { check: 'a', apply: 'b', undo: 'c' },
      { check: 'ab', apply: '' },
      { check: '', apply: 'ab' },
    ].map(scriptDigest);
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('what a host sends beyond the bounds that its shell would keep', () => {
  const base64 = (bytes: number) => Buffer.alloc(bytes, '\n').toString('base64');
  const FILE = `file 0644 0 0 root root ${'0'.repeat(64)}`;
  const asked: PathQuery = { fact: 'path', key: '/x', unlessSha256: 'any', saved: '/s' };
  const texts = (lines: readonly string[], query: PathQuery = asked) => {
    const state = pathFact.parse([FILE, ...lines], query);
    return state.type === 'file' ? [state.content, state.saved] : [];
  };

  it('is dropped from a file', () => {
    const most = base64(262_144);
    expect(texts(['~ size 262144', `~ content ${most}`, `~ saved ${most}`])).toEqual([most, most]);
    const large = base64(262_145 + 3);
    expect(texts(['~ size 262148', `~ content ${large}`, `~ saved ${large}`])).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('is dropped where it is not as long as the file, or was not asked for', () => {
    const text = base64(5);
    expect(texts(['~ size 5', `~ content ${text}`])).toEqual([text, undefined]);
    expect(texts(['~ size 0', '~ content '])).toEqual(['', undefined]);
    expect(texts(['~ size 4', `~ content ${text}`])).toEqual([undefined, undefined]);
    const lines = ['~ size 5', `~ content ${text}`, `~ saved ${text}`];
    expect(texts(lines, { fact: 'path', key: '/x' })).toEqual([undefined, undefined]);
  });

  it('makes a list of keys unsafe, and a locale an error', () => {
    const keys = (bytes: number) => parsers['authorized-keys']?.([`keys 0600 0700 ${base64(bytes)}`]);
    expect(keys(262_144)).toMatchObject({ type: 'keys' });
    expect(keys(262_145 + 3)).toEqual({
      type: 'unsafe',
      present: true,
      why: '~/.ssh/authorized_keys is larger than 262144 bytes',
    });
    const locale = (bytes: number) => parsers.locale?.([`locale /etc/default/locale ${base64(bytes)}`]);
    expect(locale(65_536)).toMatchObject({ present: true });
    expect(() => locale(65_536 + 3)).toThrow(FactError);
  });
});
