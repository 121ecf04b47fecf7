import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { soon } from '../../test/cpuMs.ts';
import { type UpdatesQuery, updatesFact } from './updates.ts';
import { BOOT_ROOM, KEPT, LEFT, NEW } from './updatesLeft.ts';
import { APT, SIZES } from './updatesScript.ts';
import { selectionOf } from './updatesSelection.ts';

const query: UpdatesQuery = { fact: 'updates', key: 'all', updates: 'security' };

const SECURITY =
  '~ archive 1\thttp://deb.example.org/debian-security\tbookworm-security/main\tv=12,o=Debian,a=stable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64';
const STABLE =
  '~ archive 2\thttp://deb.example.org/debian\tbookworm/main\tv=12.9,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64';

/** As a host printed it. */
const ANSWER: readonly string[] = [
  'apt',
  `~ dpkg-problem ${Buffer.from('The following packages are only half configured').toString('base64')}`,
  '~ lock 812 apt-get',
  '~ lists 204',
  '~ free /\t72441860096\t/',
  '~ free /boot\t1000\t/boot',
  '~ needrestart ran 3.6-4+deb12u4',
  '~ restart ssh.service',
  '~ restart dbus.service',
  '~ leftover cron.service',
  '~ oneshot backup.service',
  '~ short /boot\t40000000\t1000',
  '~ restart doaas-run-1-apply.service',
  '~ kernel 6.1.0-30-amd64',
  '~ kernel-installed 6.1.0-31-amd64',
  '~ kernel-own',
  '~ reboot',
  '~ reboot-for linux-image-6.1.0-31-amd64',
  '~ initrd 40000000',
  '~ failed cron.service',
  SECURITY,
  STABLE,
  '~ update unzip\t6.0-28\t6.0-28+deb12u1\t6.0-28+deb12u1\tunzip\t6.0-28\theld\tgone',
  '~ version unzip\t6.0-28+deb12u1',
  '~ of unzip\t6.0-28+deb12u1\t1',
  '~ update curl\t7.88.1-10+deb12u4\t7.88.1-10+deb12u5\t7.88.1-10+deb12u15\tcurl\t7.88.1-10+deb12u4\tselected\tarchive',
  '~ version curl\t7.88.1-10+deb12u15',
  '~ version curl\t7.88.1-10+deb12u5',
  '~ of curl\t7.88.1-10+deb12u15\t2',
  '~ of curl\t7.88.1-10+deb12u5\t1',
  '~ update libc6:i386\t2.36-9\t2.36-9+deb12u9\t2.36-9+deb12u9\tglibc\t2.36-9\tselected\tarchive',
  '~ version libc6:i386\t2.36-9+deb12u9',
  '~ of libc6:i386\t2.36-9+deb12u9\t2',
  '~ cves curl\tCVE-2026-2222 CVE-2026-1111 <script>',
  '~ conffile curl\t/etc/curl rc',
  '~ change curl\t7.88.1-10+deb12u4\t7.88.1-10+deb12u5',
  '~ change libnew\t-\t1:2.0',
  '~ version libnew\t1:2.0',
  '~ of libnew\t1:2.0\t1',
  '~ size curl\t7.88.1-10+deb12u5\t300000\t500\t499\tno',
  '~ size libnew\t1:2.0\t1000\t10\t0\tyes',
  `~ kept libc6:i386\t${Buffer.from('it needs packages removed:\n  gcc').toString('base64')}`,
];

describe('the updates fact', () => {
  const state = updatesFact.parse(ANSWER, query);

  it('parses what is newer, from where, and what of it is selected', () => {
    expect(state.updates.map((u) => [u.name, u.state, u.security, u.to, u.previous])).toEqual([
      ['unzip', 'held', true, '6.0-28+deb12u1', 'gone'],
      ['curl', 'selected', true, '7.88.1-10+deb12u5', 'archive'],
      ['libc6:i386', 'selected', false, '2.36-9+deb12u9', 'archive'],
    ]);
    expect(state.updates[1]).toMatchObject({
      candidate: '7.88.1-10+deb12u15',
      conffiles: ['/etc/curl rc'],
      cves: ['CVE-2026-1111', 'CVE-2026-2222'],
    });
    expect(state.updates[0]).not.toHaveProperty('cves');
    expect(state.updates[1]?.versions[1]).toEqual({
      version: '7.88.1-10+deb12u5',
      archives: [
        {
          uri: 'http://deb.example.org/debian-security',
          place: 'bookworm-security/main',
          origin: 'Debian',
          label: 'Debian-Security',
          suite: 'stable-security',
          codename: 'bookworm-security',
          security: true,
        },
      ],
    });
  });

  it('parses what apt would do, and why it keeps the rest back', () => {
    expect(state.changes).toEqual([
      {
        name: 'curl',
        from: '7.88.1-10+deb12u4',
        to: '7.88.1-10+deb12u5',
        downloadBytes: 300_000,
        installedBytes: 512_000,
        installedBytesBefore: 510_976,
      },
      {
        name: 'libnew',
        to: '1:2.0',
        archives: [expect.objectContaining({ place: 'bookworm-security/main', security: true })],
        downloadBytes: 0,
        installedBytes: 10_240,
        installedBytesBefore: 0,
      },
    ]);
    expect(state.keptBack).toEqual([
      { name: 'libc6:i386', to: '2.36-9+deb12u9', why: 'it needs packages removed:\n  gcc' },
    ]);
  });

  it('parses health, restarts and why a reboot waits', () => {
    expect(state).toMatchObject({
      dpkgProblem: 'The following packages are only half configured',
      locks: [{ pid: 812, program: 'apt-get' }],
      listsAgeSeconds: 204,
      restarts: {
        kind: 'known',
        version: '3.6-4+deb12u4',
        units: ['ssh.service'],
        deferred: ['dbus.service'],
        leftovers: ['cron.service'],
        oneshots: ['backup.service'],
      },
      reboot: {
        required: true,
        why: ['linux-image-6.1.0-31-amd64', 'kernel 6.1.0-31-amd64 is installed, 6.1.0-30-amd64 runs'],
      },
      failedUnits: ['cron.service'],
      shortages: [{ mount: '/boot', needBytes: 40_000_000, freeBytes: 1000 }],
    });
    expect(state.disk[1]).toEqual({ path: '/boot', mount: '/boot', freeBytes: 1000 });
  });

  it('knows a host without apt, and one whose needrestart has known holes', () => {
    expect(updatesFact.parse(['absent'], query)).toMatchObject({
      present: false,
      updates: [],
      restarts: { kind: 'absent' },
    });
    expect(updatesFact.parse(['apt', '~ needrestart vulnerable 3.6-4'], query).restarts).toEqual({
      kind: 'vulnerable',
      version: '3.6-4',
    });
  });

  it('knows which services are none of the host, and leaves to a reboot what runs containers', () => {
    const services = ['postgresql.service', 'none.service'];
    const told = ['apt', '~ no-service none.service', '~ no-service other.service', '~ needrestart ran 3.8'];
    expect(updatesFact.parse(told, { ...query, services }).unknownServices).toEqual(['none.service']);
    const engines = ['docker', 'containerd', 'podman', 'crio', 'k3s-agent', 'rke2-server', 'lxc'].map(
      (name) => `${name}.service`,
    );
    const named = [...engines, 'systemd-user', 'cron.service'].map((unit) => `~ restart ${unit}`);
    expect(updatesFact.parse([...told, ...named], query).restarts).toMatchObject({
      units: ['cron.service'],
      deferred: [...engines, 'systemd-user'],
    });
  });

  it.each([
    ['nothing', []],
    ['another type', ['apk']],
    ['a name that is an option of apt', ['apt', '~ change -oDPkg::x=y\t-\t1']],
    ['a version with a command', ['apt', '~ change curl\t-\t1;reboot']],
    ['a state that there is not', ['apt', '~ update curl\t1\t2\t2\tcurl\t1\tchosen\tgone']],
    [
      'a configuration file outside of its folder',
      ['apt', '~ update curl\t1\t2\t2\tcurl\t1\theld\tgone', '~ conffile curl\t/etc/../root/.ssh/x'],
    ],
    ['a unit that is a command', ['apt', '~ needrestart ran 3.8', '~ restart ssh; reboot']],
    ['an archive that was not told', ['apt', '~ of curl\t2\t7']],
    ['a size that is no number', ['apt', '~ free /\t-1\t/']],
    ['no end of lines', ['apt', ...Array<string>(20_001).fill('~ failed x.service')]],
  ])('refuses %s', (_, output) => {
    expect(() => updatesFact.parse(output, query)).toThrow(/host (answered|told)/);
  });

  it('takes a release for one of security by its label, suite or codename, and by what the policy names', () => {
    const is = (release: string, more: Pick<UpdatesQuery, 'securityOrigins'> = {}) =>
      new RegExp(selectionOf({ ...query, ...more }).origin).test(release);
    expect(is('v=12,o=Debian,a=stable-security,n=bookworm-security,l=Debian-Security,c=main')).toBe(true);
    expect(is('v=22.04,o=Ubuntu,a=jammy-security,n=jammy,l=Ubuntu,c=main')).toBe(true);
    expect(is('v=12.9,o=Debian,a=stable,n=bookworm,l=Debian,c=main')).toBe(false);
    expect(is('o=Me,l=Not-Debian-Security,c=main')).toBe(false);
    const own = { securityOrigins: [{ origin: 'My (Co).', label: 'Fixes' }] };
    expect(is('o=My (Co).,a=x,l=Fixes,c=main', own)).toBe(true);
    expect(is('o=My (Co)x,a=x,l=Fixes,c=main', own)).toBe(false);
    expect(is('o=My (Co).,a=x,l=Other,c=main', own)).toBe(false);
    expect(selectionOf({ ...query, updates: 'all' }).origin).toBe('');
  });

  it(
    'takes what the policy names for security, in time that no release makes long',
    soon(() => {
      const named = { origin: 'A', suite: 'B', codename: 'C', label: 'D' };
      const securityOf = (release: string, match: object = named) => {
        const archive = `~ archive 1\thttp://a.example.org\tmain\t${release}`;
        const update = '~ update a\t1\t2\t2\ta\t1\tselected\tarchive';
        const output = ['apt', archive, update, '~ version a\t2', '~ of a\t2\t1'];
        return updatesFact
          .parse(output, { ...query, securityOrigins: [match] })
          .updates.map((one) => one.security);
      };
      expect(securityOf('v=1,o=A,a=B,n=C,l=D,c=main')).toEqual([true]);
      expect(securityOf('v=1,o=A,a=B,n=C,l=Other,c=main')).toEqual([false]);
      expect(securityOf('o=A, Inc.,l=D', { origin: 'A, Inc.' })).toEqual([true]);
      expect(securityOf('o=A,a=B,n=C,'.repeat(5_000))).toEqual([false]);
    }),
  );

  it('leaves out names and patterns, and nothing that only looks alike', () => {
    const { exclude } = selectionOf({ ...query, exclude: ['linux-image-*', 'g++', 'a?c'] });
    const left = ['linux-image-amd64', 'linux-image', 'g++', 'ggg', 'abc', 'abbc'];
    expect(left.filter((name) => new RegExp(exclude).test(name))).toEqual([
      'linux-image-amd64',
      'g++',
      'abc',
    ]);
  });

  it('says whether unattended-upgrades is on', () => {
    expect(updatesFact.parse(['apt', '~ unattended'], query).unattended).toBe(true);
    expect(state).not.toHaveProperty('unattended');
  });

  it('quotes what a policy says', () => {
    const hostile = { ...query, exclude: ["$(id)'"], securityOrigins: [{ label: '`id`"' }] };
    const script = updatesFact.read([hostile]).text;
    const out = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { PATH: '/nowhere' } });
    expect(out).toBe('= all\nabsent\n');
  });

  it('asks apt nothing where only the item itself is compared', () => {
    const { text } = updatesFact.read([{ fact: 'updates', key: 'all' }]);
    expect(text).not.toMatch(/policy|needrestart|simulat| -s /);
    expect(updatesFact.parse(['apt'], { fact: 'updates', key: 'all' }).present).toBe(true);
  });
});

it('leaves to people what may ask about a configuration file, with what is built with it', () => {
  const update = (name: string, source: string, state: string) =>
    `~ update ${name}\t1\t2\t3\t${source}\t1\t${state}\tarchive`;
  const held = update('held', 'held', 'held');
  const other = update('other', 'other', 'selected');
  const lines = [
    update('web', 'web', 'selected'),
    '~ version web\t2',
    'A web=2',
    update('web-doc', 'web', 'selected'),
    held,
    other,
    'A other=2',
  ];
  const script = [LEFT, 'doaas_left_to_people'].join('\n');
  const env = {
    ...process.env,
    doaas_changed: '~ conffile web\t/etc/web rc\n~ conffile held\t/etc/held',
    doaas_read: lines.join('\n'),
  };
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8', env }).trimEnd().split('\n')).toEqual([
    update('web', 'web', 'asked'),
    'A web=1',
    '~ version web\t2',
    update('web-doc', 'web', 'asked'),
    'A web-doc=1',
    held,
    other,
    'A other=2',
  ]);
});

it('tells from where a package comes that is not installed yet', () => {
  const policy = `linux-image-6.1.0-31-amd64:
  Installed: (none)
  Candidate: 6.1.128-1
  Version table:
     6.1.129-1 1
          1 http://deb.example.org/debian sid/main amd64 Packages
     6.1.128-1 500
        500 http://deb.example.org/debian-security bookworm-security/main amd64 Packages
        100 http://elsewhere.example.org/debian bookworm/main amd64 Packages
     6.1.127-1 500
        500 http://deb.example.org/debian bookworm/main amd64 Packages
`;
  const script = [
    NEW.replace('apt-cache policy', 'told'),
    `told() { printf '%s' "$policy"; }`,
    `printf 'linux-image-6.1.0-31-amd64\t6.1.128-1\n' | doaas_new`,
    'printf "" | doaas_new',
  ].join('\n');
  const env = { ...process.env, policy, doaas_read: [SECURITY, STABLE].join('\n') };
  const said = execFileSync('sh', ['-c', script], { encoding: 'utf8', env });
  expect(said).toBe(
    '~ version linux-image-6.1.0-31-amd64\t6.1.128-1\n~ of linux-image-6.1.0-31-amd64\t6.1.128-1\t1\n',
  );
});

it('leaves a new kernel alone where only /boot has no room, and says what apt would take away for it', () => {
  const inst = (name: string, from: string) => `Inst ${name} ${from}(2 X:1/stable [amd64])`;
  const run = (room: string) => {
    const script = [
      KEPT,
      NEW,
      BOOT_ROOM,
      APT.replaceAll('apt-cache policy', 'true'),
      `doaas_sizes() { printf '%s\n' "$@"; }`,
      `doaas_room() { grep -q linux-image-6 && printf '%b' '${room}'; }`,
      `doaas_ask() { echo 'Remv linux-image-6.0-1-amd64 [1]'; echo 'Remv libold [1]'; }`,
      `doaas_sim() { echo '${inst('curl', '[1] ')}'; case $* in *linux-image-amd64=1*) ;; *) printf '%s\n' '${inst('linux-image-amd64', '[1] ')}' '${inst('linux-image-6.0-2-amd64', '')}' ;; esac; }`,
      'doaas_install() { echo "E: $*"; }',
      'doaas_plan; doaas_change',
    ].join('\n');
    const update = (name: string) => `~ update ${name}\t1\t2\t2\tx\t1\tselected\tarchive`;
    const env = { ...process.env, doaas_read: [update('curl'), update('linux-image-amd64')].join('\n') };
    return execFileSync('sh', ['-c', script], { encoding: 'utf8', env }).trimEnd().split('\n');
  };
  const why =
    'no room on /boot for one more kernel: it needs 90 MiB, and 50 are free; apt-get autoremove takes away linux-image-6.0-1-amd64';
  expect(run('/boot\t94371840\t52428800\n')).toEqual([
    `~ kept linux-image-amd64\t${Buffer.from(why).toString('base64')}`,
    '~ change curl\t1\t2',
    '~ size curl=2',
  ]);
  const both = run('/\t3\t2\n/boot\t94371840\t52428800\n');
  expect(both).toContain('~ change linux-image-6.0-2-amd64\t-\t2');
  expect(both).toContain('~ short /boot\t94371840\t52428800');
});

it('an apt that is not done in time is no answer: that is said, and not that it finds no way', () => {
  const busy = [
    APT,
    'timeout() { return 124; }',
    "doaas_read='~ update curl\t1\nA curl=2'",
    'doaas_plan || doaas_problem',
  ].join('\n');
  const said = execFileSync('sh', ['-c', busy], { encoding: 'utf8' });
  const [, problem = ''] = /^~ apt-problem (\S+)$/m.exec(said) ?? [];
  expect(Buffer.from(problem, 'base64').toString()).toMatch(
    /^E: apt was not done within 75 s; look what keeps/,
  );
});

it('all questions to apt share one time: the next has what the last one left, and never no limit at all', () => {
  const asked = [
    'now=1000; date() { echo "$now"; }',
    'timeout() { echo "$1"; }',
    APT,
    ...[1000, 1040, 1074, 1075, 2000].map((now) => `now=${now}; doaas_ask check`),
  ].join('\n');
  expect(execFileSync('sh', ['-c', asked], { encoding: 'utf8' })).toBe('75\n35\n1\n1\n1\n');
});

it('a new kernel needs room for as large an initrd as the host has, whoever asks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'doaas-boot-'));
  writeFileSync(join(folder, 'initrd.img-6.1.0-30-amd64'), Buffer.alloc(60_000_000));
  const mounts = ['/', '/', '/boot'].map((mount) => `${mount} ${mount === '/' ? 1e12 : 50_000_000}`);
  const script = (before: string) =>
    [
      before,
      SIZES.replaceAll('/boot/initrd', `${folder}/initrd`),
      `df() { printf '%s\n' 'Mounted Avail' ${mounts.map((line) => `'${line}'`).join(' ')}; }`,
      "printf 'linux-image-6.1.0-31-amd64\t6.1\t1000\t10\t0\tno\n' | doaas_room",
      'case $- in *f*) echo kept ;; esac',
    ].join('\n');
  const said = ['set -f', 'set +f'].map((before) =>
    execFileSync('sh', ['-c', script(before)], { encoding: 'utf8' }),
  );
  rmSync(folder, { recursive: true });
  expect(said).toEqual(['/boot\t93554432\t50000000\nkept\n', '/boot\t93554432\t50000000\n']);
});
