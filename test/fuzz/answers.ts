import { encodeKey, type FactQuery } from '../../engine/facts/fact.ts';
import { recordLine } from '../../engine/facts/owned.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SHA = 'ab'.repeat(32);
const REPOSITORY = 'acme/infra';

/** Items that the host says to be left over from the repository. */
const LEFT: readonly FactQuery[] = [
  { fact: 'path', key: '/etc/left' },
  { fact: 'package', key: 'left' },
  { fact: 'unit', key: 'left.service' },
];

const record = ({ fact, key }: FactQuery, onRemoval: 'restore' | 'keep'): string =>
  `${recordLine({ item: `${fact}:${key}`, origin: 'created', repository: REPOSITORY, document: 'Configuration/web', onRemoval })}\tpr1-aaaaaaaa-w0`;

/** What hosts say of an item of each fact, in several ways. */
const SAID: Readonly<Record<string, readonly (readonly string[])[]>> = {
  owned: [[], LEFT.map((query, n) => record(query, n === 0 ? 'keep' : 'restore'))],
  package: [
    ['installed 1.22.1-9 free'],
    [
      'absent',
      '~ offer 1.22.1-9 http://deb.example.org/debian stable/main 1.22.1-9 1.20',
      '~ transaction',
      '~ lists 60',
      '~ installs nginx nginx-common',
      '~ removes apache2',
    ],
    [
      'broken half-configured 1.2',
      '~ offer - - -',
      '~ transaction',
      `~ problem ${base64('E: Unable to correct problems')}`,
    ],
  ],
  'apt-repository': [[`sources ${SHA}  -`, `keyring asc ${SHA}  -`, 'attributes 644 0 0'], ['sources ']],
  path: [
    ['absent'],
    [`file 644 0 0 root root ${SHA}`, '~ size 9', `~ content ${base64('server {\n')}`],
    [`file 600 0 0 root root ${SHA} 2`, '~ size 9'],
    ['directory 755 0 0 root root'],
    [`link 777 0 0 root root ${base64('/etc/elsewhere')}`],
    ['other character-special-file'],
  ],
  'authorized-keys': [
    [`keys 600 700 ${base64('ssh-ed25519 AAAA bob\n')}`],
    ['absent', '~ home no'],
    ['unsafe ~/.ssh is a symbolic link'],
  ],
  group: [
    ['group 1500', '~ members alice,bob'],
    ['absent', '~ taken other'],
  ],
  user: [
    [
      'user 1501:1501:Alice:/home/alice:/bin/sh',
      'groups adm,sudo',
      '~ primary alice',
      '~ processes 2',
      '~ self yes',
    ],
    ['absent', '~ taken other'],
  ],
  'hosts-entry': [['names db db.internal'], ['absent']],
  locale: [
    [`locale /etc/default/locale ${base64('LANG=C\n')}`, '~ generated C C.utf8 POSIX'],
    ['absent /etc/locale.conf'],
  ],
  sysctl: [['runtime 128', 'persisted 4096'], ['runtime 128', '~ writable no'], ['absent']],
  system: [
    [
      '~ os Debian GNU/Linux 12',
      '~ os-id debian',
      '~ cpus 2',
      '~ memory 1024',
      '~ disk 2048',
      '~ init systemd',
    ],
  ],
  timezone: [
    ['localtime /usr/share/zoneinfo/Europe/Berlin', 'timezone Europe/Berlin'],
    ['absent', '~ known no'],
  ],
  unit: [
    [
      'unit loaded enabled active',
      '~ activity active',
      '~ fragment /lib/systemd/system/a.service',
      '~ reload yes',
      '~ type simple',
      '~ remains no',
    ],
    [
      'unit not-found - inactive',
      '~ activity inactive',
      '~ fragment ',
      '~ reload no',
      '~ type ',
      '~ remains no',
    ],
  ],
  script: [[`script ${SHA}`, '~ check 0'], ['absent']],
};

/** Whole answers to these questions: the nth takes the nth way of each fact. The left over are answered as well. */
export function answers(queries: readonly FactQuery[]): readonly Buffer[] {
  const ways = Math.max(...Object.values(SAID).map((said) => said.length));
  return Array.from({ length: ways }, (_, way) => {
    const parts = [...queries, ...LEFT].flatMap(({ fact, key }, n) => {
      const said = SAID[fact] ?? [];
      return [`@ ${fact}`, `= ${encodeKey(key)}`, ...(said[(way + (way > 2 ? n : 0)) % said.length] ?? [])];
    });
    return Buffer.from(`# basis ${SHA}\n${parts.join('\n')}\n@ end\n`);
  });
}
