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
import { pathFact } from './path.ts';
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
