import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { surveyFact } from './survey.ts';
import { COUNTS, modules, people, search, userSources } from './surveyScript.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'doaas-survey-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const surveyed = (script: string) => {
  const PATH = `${root}/bin:${process.env.PATH ?? ''}`;
  const printed = execFileSync('sh', ['-u'], { input: `{ ${script}\n} 2> /dev/null`, env: { PATH } });
  return surveyFact.parse(printed.toString().replace(/\n$/, '').split('\n'), { fact: 'survey', key: 'all' });
};

it.each([
  ['passwd: files\n', ['files']],
  ['# passwd: ldap\ngroup: sss\npasswd:\tfiles systemd # sss\n', ['files', 'systemd']],
  [' passwd : files [NOTFOUND=return UNAVAIL=continue] sss\n', ['files', 'sss']],
  ['passwd: files[SUCCESS=return]winbind', ['files', 'winbind']],
  ['passwd: files\npasswd: ldap\n', ['files', 'ldap']],
  [`passwd: ${'x'.repeat(100_000)}\n`, ['x'.repeat(40)]],
  [`passwd: ${'nis '.repeat(10_000)}\n`, Array.from({ length: 16 }, () => 'nis')],
  ['', []],
])('of %j the sources of users are read', (text, sources) => {
  put('etc/nsswitch.conf', text);
  expect(surveyed(userSources(root)).userSources).toEqual(sources);
});

it('a host without nsswitch.conf names no source', () => {
  expect(surveyed(userSources(root)).userSources).toEqual([]);
});

it('what a host sends beyond that is dropped', () => {
  const sent = Array.from({ length: 1_000 }, () => `~ user-source ${'y'.repeat(1_000)}`);
  const { userSources = [] } = surveyFact.parse(sent, { fact: 'survey', key: 'all' });
  expect([userSources.length, new Set(userSources)]).toEqual([16, new Set(['y'.repeat(40)])]);
});

/** Names of who has keys where `sshd -T` has this line. */
function keyed(line: string): readonly string[] {
  put('bin/sshd', `#!/bin/sh\nprintf '%s\\n' 'port 22' '${line}'\n`);
  chmodSync(join(root, 'bin/sshd'), 0o755);
  return surveyed(people(root)).accounts.flatMap(({ name, keys }) => (keys ? [name] : []));
}

it('keys count only in the files that sshd reads', () => {
  const who = ['kate', 'lee', 'max'];
  const line = (name: string, at: number) => `${name}:x:${1000 + at}:100::${root}/home/${name}:/bin/sh\n`;
  put('etc/passwd', who.map(line).join(''));
  put('etc/shadow', who.map((name) => `${name}:$y$x:1:0:99999:7:::\n`).join(''));
  put('etc/group', 'users:x:100:\n');
  put('home/kate/.ssh/authorized_keys', 'ssh-ed25519 AAAA\n');
  put('home/lee/none', 'x');
  put('keys/lee', 'ssh-ed25519 AAAA\n');
  put('keys/1002%', 'ssh-ed25519 AAAA\n');
  put('keys/kate', '');
  mkdirSync(join(root, 'home/max/.ssh/authorized_keys'), { recursive: true });
  expect(keyed('authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2')).toEqual(['kate']);
  expect(keyed('authorizedkeysfile %h/.ssh/authorized_keys')).toEqual(['kate']);
  expect(keyed(`authorizedkeysfile ${root}/keys/%u`)).toEqual(['lee']);
  expect(keyed(`authorizedkeysfile .ssh/authorized_keys ${root}/keys/%U%%`)).toEqual(['kate', 'max']);
  expect(keyed('authorizedkeysfile none')).toEqual([]);
  expect(keyed('loglevel INFO')).toEqual(['kate']);
});

it('things of one sort do not hide those of another, and a sort that is cut says so', () => {
  const folder = join(root, 'etc');
  for (let n = 0; n < 301; n += 1) put(`etc/suid${n}`, '');
  for (let n = 0; n < 301; n += 1) chmodSync(join(folder, `suid${n}`), 0o4755);
  put('etc/open', '');
  chmodSync(join(folder, 'open'), 0o666);
  const { found, cut, incomplete } = surveyed(search(folder));
  expect(found.suid).toHaveLength(300);
  expect(found.writable).toEqual([`${folder}/open`]);
  expect([cut, incomplete]).toEqual([['suid'], false]);
});

it('a search that cannot be made is not taken for one that found nothing', () => {
  put('bin/find', '#!/bin/sh\nexit 127\n');
  chmodSync(join(root, 'bin/find'), 0o755);
  expect(surveyed(search(root)).incomplete).toBe(true);
});

it('of all files of apt and systemd what counts is read', () => {
  put(
    'etc/apt/apt.conf.d/90doaas',
    'APT::Get::AllowUnauthenticated "false";\nAcquire::AllowInsecureRepositories "no";\n',
  );
  put('etc/apt/apt.conf.d/99allow', 'apt { get { allowUnauthenticated "yes"; }; };\n');
  put('apt', `Dir "${root}";\n`);
  const folder = 'etc/systemd/journald.conf.d';
  put(`${folder}/doaas.conf`, '[Journal]\nStorage=persistent\nCompress=yes\n');
  put(`${folder}/zz.conf`, '# [Journal]\n[Journal]\n Storage = volatile \n#Compress=no\n');
  put(
    'etc/systemd/coredump.conf.d/zz.conf',
    `[Coredump]\nStorage=${'x'.repeat(100)}\nStorageX=none\nProcessSizeMax=\n`,
  );
  const commands = COUNTS.replace('systemd-analyze', `systemd-analyze --root=${root}`);
  expect(surveyed(`export APT_CONFIG=${root}/apt\n${commands}`).counts).toEqual({
    'APT::Get::AllowUnauthenticated': 'true',
    'Acquire::AllowInsecureRepositories': 'false',
    'Acquire::AllowDowngradeToInsecureRepositories': 'false',
    '[Journal]Storage': 'volatile',
    '[Journal]Compress': 'yes',
    '[Coredump]Storage': 'x'.repeat(40),
    '[Coredump]ProcessSizeMax': '',
  });
});

it('what counts is told of known settings only, and bounded', () => {
  const sent = [
    '~ counts [Manager]DumpCore '.padEnd(1_000, 'n'),
    '~ counts __proto__ x',
    '~ counts',
    '~ counts x',
  ];
  const { counts } = surveyFact.parse(sent, { fact: 'survey', key: 'all' });
  expect(counts).toEqual({ '[Manager]DumpCore': 'n'.repeat(40) });
});

it('modules that are looked for are told where they are loaded', () => {
  put(
    'proc/modules',
    'usb_storage 81920 0 - Live 0x0\nhfsplus 1 1 x, Live 0x0\nxhci_hcd 1 0 sctp, Live 0x0\n',
  );
  expect(surveyed(modules(root)).modules).toEqual(['hfsplus', 'usb-storage']);
  const sent = [
    '~ module x',
    '~ module',
    '~ module sctp y',
    ...Array.from({ length: 99 }, () => '~ module rds'),
  ];
  expect(surveyFact.parse(sent, { fact: 'survey', key: 'all' }).modules).toEqual(['rds']);
});

it('a host without modules has none loaded', () => {
  expect(surveyed(modules(root)).modules).toEqual([]);
});
