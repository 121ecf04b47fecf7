import { describe, expect, it } from 'vitest';
import { soon } from '../../../test/cpuMs.ts';
import type { ItemKey, Reading, Readings } from '../../facts/fact.ts';
import type { SshdLine } from '../../facts/sshd.ts';
import type { Account, SurveyModule, SurveyState } from '../../facts/survey.ts';
import type { ResolvedServer } from '../../spec/resolution.ts';
import { SERVER } from '../../spec/testing.ts';
import type { KindPlan } from '../kind.ts';
import { CONTROLS } from './catalogue.ts';
import { SSHD_FILE } from './ownFiles.ts';
import { hardening } from './plan.ts';
import type { ResolvedHardening } from './spec.ts';
import { type HardenedHost, stateOn } from './testing/host.ts';

/** What hardening guides are known to break; each is one of the list. */
describe('known traps', () => {
  it('password ageing does not strand who logs in with a key only', () => {
    const keyOnly = account({ name: 'deploy', password: 'locked', keys: true });
    const both = account({ name: 'kate', password: 'set', keys: true });
    const stranded = plan('password-max-age', { survey: { accounts: [keyOnly, both] } });
    expect(stranded.steps).toEqual([]);
    expect(messages(stranded)).toContain(
      'not applicable here, because deploy can only log in with a key, and an account of that sort would be shut out when its password ends: password-max-age',
    );
    const certified = { survey: { accounts: [account({ name: 'eve', password: 'locked' })] } };
    const authority = { sshd: { trustedusercakeys: '/etc/ssh/ca.pub' } };
    expect(plan('password-max-age', { ...certified, ...authority }).steps).toEqual([]);
    expect(steps(plan('password-max-age', { survey: { accounts: [both] } }))).toEqual([
      'config:/etc/login.defs',
    ]);
  });

  it('logins with a key only do not strand who has none', () => {
    const kate = account({ name: 'kate', password: 'set', keys: false });
    const accounts = { survey: { accounts: [kate] } };
    expect(textOf(plan('ssh-password-login', accounts))).toBeUndefined();
    expect(textOf(plan('ssh-password-login', {}))).toContain('PasswordAuthentication no');
  });

  it.each([
    [['files', 'systemd', 'sss'], {}, 'sss'],
    [['files', 'ldap', 'winbind'], {}, 'ldap, winbind'],
    [['compat'], { legacy: ['/etc/passwd'] }, 'compat'],
  ])('logins with a key only do not strand people of a directory: %j', (userSources, found, names) => {
    const survey = { userSources, found };
    for (const id of ['ssh-password-login', 'ssh-keyboard-interactive']) {
      const kept = plan(id, { survey, sshd: { kbdinteractiveauthentication: 'yes' } });
      expect(kept.steps).toEqual([]);
      expect(messages(kept)).toContain(
        `not applicable here, because people may log in with a password that ${names} knows (passwd: in /etc/nsswitch.conf), whom this engine does not see: ${id}`,
      );
    }
    const off = plan('ssh-password-login', { survey, sshd: { passwordauthentication: 'no' } });
    expect(textOf(off)).toContain('PasswordAuthentication no');
  });

  it.each([
    [[], {}],
    [['compat', 'systemd', 'mymachines', 'myhostname'], { legacy: ['/etc/group'] }],
  ])('sources without people of their own keep no passwords on: %j', (userSources, found) => {
    expect(textOf(plan('ssh-password-login', { survey: { userSources, found } }))).toContain(
      'PasswordAuthentication no',
    );
  });

  it('a password of root does not keep the passwords of all on, since sshd takes none of root', () => {
    const root = account({ name: 'root', uid: 0, password: 'set', keys: false });
    const on = (permitrootlogin: string) =>
      textOf(plan('ssh-password-login', { survey: { accounts: [root] }, sshd: { permitrootlogin } }));
    for (const refusing of ['without-password', 'no', 'forced-commands-only'])
      expect(on(refusing)).toContain('PasswordAuthentication no');
    expect(on('yes')).toBeUndefined();
  });

  it('passwords that are off stay off when somebody has no key any more, who is told', () => {
    const kate = account({ name: 'kate', password: 'set', keys: false });
    const off = { passwordauthentication: 'no', kbdinteractiveauthentication: 'no' };
    const made = plan(['ssh-password-login', 'ssh-keyboard-interactive'], {
      survey: { accounts: [kate] },
      sshd: off,
    });
    expect(textOf(made)).toContain('PasswordAuthentication no\nKbdInteractiveAuthentication no\n');
    expect(messages(made)).toContain(
      'ssh-password-login: kate has a password and no key, so SSH lets nobody in by that name; give it a key',
    );
  });

  it('what a container may not do with the kernel of its host does not fail there', () => {
    const left =
      "not applicable here, because the kernel is not this host's own: its process 1 is not in the first PID namespace: process-accounting";
    expect(messages(plan('process-accounting', { survey: { ownKernel: false } }))).toContain(left);
    expect(messages(plan('process-accounting', {}))).not.toContain(left);
  });

  it('root is never locked by wrong passwords of robots', () => {
    const text = textOf(
      plan('faillock-root', { files: { '/etc/security/faillock.conf': 'deny = 3\neven_deny_root\n' } }),
    );
    expect(text).toBe('deny = 3\n# even_deny_root\n');
    for (const { wants } of CONTROLS)
      expect(JSON.stringify(wants)).not.toMatch(/even_deny_root(?!","value":null)/);
  });

  it('a second line of the same setting counts as well, and both are corrected', () => {
    const faillock = (text: string) =>
      plan('faillock-deny', { files: { '/etc/security/faillock.conf': text } });
    expect(textOf(faillock('deny = 3\n# deny = 7\ndeny = 99\n'))).toBe('deny = 5\n# deny = 7\ndeny = 5\n');
    expect(faillock('deny = 3\ndeny = 5\n').steps).toEqual([]);
    const age = (text: string) => plan('password-max-age', { files: { '/etc/login.defs': text } });
    for (const text of ['PASS_MAX_DAYS 90\nPASS_MAX_DAYS 99999\n', 'PASS_MAX_DAYS 99999\nPASS_MAX_DAYS 90\n'])
      expect(textOf(age(text))).toBe('PASS_MAX_DAYS\t365\nPASS_MAX_DAYS\t365\n');
    const root = plan('faillock-root', {
      files: { '/etc/security/faillock.conf': 'even_deny_root\neven_deny_root\n' },
    });
    expect(textOf(root)).toBe('# even_deny_root\n# even_deny_root\n');
  });

  it('what a file that is read later says of new passwords counts', () => {
    const later = (text: string) =>
      plan('pwquality-length', { files: { '/etc/security/pwquality.conf': text } });
    expect(messages(later('# minlen = 8\nminlen = 20 \nminlen=6'))).toContain(
      'pwquality-length: /etc/security/pwquality.conf, which is read later, says "minlen = 6": take that line out',
    );
    for (const text of ['# minlen = 8\n', 'minlen = 20\nminlength = 6\n']) {
      expect(messages(later(text)).join()).not.toContain('read later');
      expect(textOf(later(text))).toContain('minlen = 14\n');
    }
  });

  it.each([
    [
      'apt-verified',
      {
        'APT::Get::AllowUnauthenticated': 'false',
        'Acquire::AllowInsecureRepositories': 'false',
        'Acquire::AllowDowngradeToInsecureRepositories': 'false',
      },
      ['APT::Get::AllowUnauthenticated', 'true', 'apt-config dump'],
    ],
    [
      'journal-persistent',
      { '[Journal]Storage': 'persistent', '[Journal]Compress': 'true' },
      ['[Journal]Storage', 'volatile', 'systemd-analyze cat-config systemd/journald.conf'],
    ],
    [
      'core-storage',
      { '[Coredump]Storage': 'none', '[Coredump]ProcessSizeMax': '0' },
      ['[Coredump]ProcessSizeMax', '2G', 'systemd-analyze cat-config systemd/coredump.conf'],
    ],
    [
      'core-units',
      { '[Manager]DumpCore': 'off' },
      ['[Manager]DumpCore', 'yes', 'systemd-analyze cat-config systemd/system.conf'],
    ],
  ] as const)('%s holds only where no other file wins', (id, counts, [name, value, shownBy]) => {
    const [step] = plan(id, {}).steps;
    const files = { [String(step?.params.path)]: String(step?.params.text) };
    const said = (more: Readonly<Record<string, string>>) => {
      const made = plan(id, { files, survey: { counts: more } });
      expect(made.steps).toEqual([]);
      return messages(made).join('\n');
    };
    expect(said(counts)).toContain('1 of 1 controls hold now');
    const other = said({ ...counts, [name]: value });
    expect(other).toContain('0 of 1 controls hold now');
    expect(other).toContain(
      `${id}: another file, which is read later, sets ${name} to "${value}": look at ${shownBy}, and take that line out`,
    );
    expect(said({})).toContain('0 of 1 controls hold now');
    expect(said({})).toContain(`${id}: nothing tells what counts for `);
  });

  it('a module that is loaded does not pass as one that is not', () => {
    const [step] = plan('module-usb-storage', { survey: { modules: ['usb-storage'] } }).steps;
    const files = { [String(step?.params.path)]: String(step?.params.text) };
    const said = (modules: readonly SurveyModule[]) => {
      const made = plan('module-usb-storage', { files, survey: { modules } });
      expect(made.steps).toEqual([]);
      return messages(made).join('\n');
    };
    expect(said(['sctp'])).toContain('1 of 1 controls hold now');
    expect(said(['usb-storage'])).toContain('0 of 1 controls hold now');
    expect(said(['usb-storage'])).toContain(
      'module-usb-storage: usb-storage is loaded until the next reboot: reboot this host, or run modprobe -r usb-storage where nothing needs it',
    );
  });

  it(
    'files of a host are read in time that no text makes long',
    soon(() => {
      const blanks = ' '.repeat(200_000);
      const long = (key: string) =>
        `${key} x${blanks}y${blanks}z\n${blanks}\n${key}${'= '.repeat(100_000)}x\n`;
      expect(
        plan('faillock-deny', { files: { '/etc/security/faillock.conf': long('deny') } }).steps,
      ).toHaveLength(1);
      const quality = plan('pwquality-length', { files: { '/etc/security/pwquality.conf': long('minlen') } });
      expect(messages(quality).join()).toContain('says "minlen = x": take');
    }),
  );

  it('a search that is cut, or did not end, passes for nothing', () => {
    const said = (survey: Partial<SurveyState>) => messages(plan('known-suid', { survey })).join('\n');
    expect(said({ found: { suid: ['/usr/bin/su'] } })).toContain('1 of 1 controls hold now');
    const cut = said({ found: { suid: ['/usr/bin/su'] }, cut: ['suid'] });
    expect(cut).toContain('0 of 1 controls hold now');
    expect(cut).toContain('known-suid: more was found than is told');
    expect(said({ cut: ['writable'] })).toContain('1 of 1 controls hold now');
    expect(said({ incomplete: true })).toContain('0 of 1 controls hold now');
  });

  it.each([
    ['dockerd', { routers: ['dockerd', 'docker0'] }],
    ['a VPN', { routers: ['wg0'] }],
  ])('forwarding stays on for %s', (_, survey) => {
    for (const id of ['sysctl-ip-forward', 'sysctl-ip6-forward']) {
      const on = plan(id, { survey, sysctl: '1' });
      expect(on.steps).toEqual([]);
      expect(messages(on)).toContain(
        `not applicable here, because packets are forwarded here for ${survey.routers.join(', ')}: ${id}`,
      );
      expect(steps(plan(id, { sysctl: '1' }))).toHaveLength(1);
    }
  });

  it.each([
    ['sysctl-ip-forward', 'docker.io', 'packets are forwarded here for docker.io'],
    ['sysctl-ip6-forward', 'wireguard', 'packets are forwarded here for wireguard'],
    ['sysctl-user-namespaces', 'podman', 'podman needs user namespaces'],
  ])('%s does not stop %s, which another document of the plan brings', (id, name, reason) => {
    const brought = plan(id, { sysctl: '1', packages: { [name]: 'present' } });
    expect(brought.steps).toEqual([]);
    expect(messages(brought)).toContain(`not applicable here, because ${reason}: ${id}`);
    expect(steps(plan(id, { sysctl: '1', packages: { [name]: 'absent' } }))).toHaveLength(1);
    expect(yields(id, { packages: { [name]: 'present' } })).toHaveLength(1);
    expect(yields(id, {})).toEqual([]);
  });

  it('a value that may be wrong since there is a second network stays, and is told', () => {
    const [id, interfaces] = ['sysctl-rp-filter-all', ['eth0', 'docker0']];
    expect(yields(id, { survey: { interfaces } })).toEqual([]);
    expect(messages(plan(id, { survey: { interfaces }, sysctl: '1', persisted: '1' }))).toContain(
      'sysctl-rp-filter-all: net.ipv4.conf.all.rp_filter = 1 was set when it did apply, and stays; waive the control to have it put back as it was found',
    );
    expect(messages(plan(id, { survey: { interfaces }, sysctl: '1' })).join()).not.toContain('stays');
  });

  it.each([
    [
      'rp-filter',
      'sysctl-rp-filter-all',
      { interfaces: ['eth0', 'eth1'] },
      'answers may leave by another of its interfaces (eth0, eth1)',
    ],
    [
      'accept_ra',
      'sysctl-router-advertisements-all',
      { advertised: true },
      'its IPv6 address or route comes from router advertisements',
    ],
  ])('%s does not cut off who comes in another way', (_, id, survey, reason) => {
    const kept = plan(id, { survey, sysctl: '9' });
    expect(kept.steps).toEqual([]);
    expect(messages(kept)).toContain(`not applicable here, because ${reason}: ${id}`);
    expect(steps(plan(id, { sysctl: '9' }))).toHaveLength(1);
  });

  it('user namespaces stay where rootless containers need them', () => {
    const podman = plan('sysctl-user-namespaces', { survey: { namespaceUsers: ['podman'] }, sysctl: '1000' });
    expect(podman.steps).toEqual([]);
    expect(messages(podman)).toContain(
      'not applicable here, because podman needs user namespaces: sysctl-user-namespaces',
    );
    expect(steps(plan('sysctl-user-namespaces', { sysctl: '1000' }))).toHaveLength(1);
  });

  it('sessions of one connection are enough for tools, and no override makes them fewer', () => {
    const control = CONTROLS.find(({ id }) => id === 'ssh-max-sessions');
    expect(control?.range).toMatchObject({ value: 10, min: 10 });
    expect(textOf(plan('ssh-max-sessions', { sshd: { maxsessions: '4' } }))).toContain('MaxSessions 10');
  });

  it('a service in use is not removed, and one that is out of use is', () => {
    for (const [id, name, unit] of [
      ['no-cups', 'cups', 'cups.service'],
      ['no-telnet-server', 'telnetd', 'inetd.service'],
    ] as const) {
      const host = { installed: [name], active: [unit] };
      expect(plan(id, host).steps).toEqual([]);
      expect(messages(plan(id, host))).toContain(
        `${id}: ${name} stays while ${unit} runs: waive this where the server is meant to have it, else stop and disable it, and the next plan removes it`,
      );
      expect(steps(plan(id, { ...host, active: [] }))).toEqual([`packages:remove:${name}`]);
      expect(plan(id, { installed: [], active: [unit] }).steps).toEqual([]);
    }
  });

  it('packages that would go along with one that is removed are told', () => {
    const along = plan('no-rpcbind', {
      installed: ['rpcbind'],
      active: [],
      removes: ['nfs-common', 'rpcbind'],
    });
    expect(steps(along)).toEqual(['packages:remove:rpcbind']);
    expect(messages(along)).toContain(
      'nfs-common would go along with packages that are removed for no-rpcbind: waive the control of what this server is meant to have',
    );
    expect(messages(plan('no-rpcbind', { installed: ['rpcbind'], active: [] })).join()).not.toContain(
      'along',
    );
  });

  it('the SFTP subsystem stays as it is, and is told when its program is not there', () => {
    for (const { wants } of CONTROLS) expect(JSON.stringify(wants).toLowerCase()).not.toContain('subsystem');
    const missing = plan('ssh-x11-forwarding', { sftpMissing: '/usr/libexec/sftp-server' });
    expect(messages(missing)).toContain(
      'the SFTP subsystem /usr/libexec/sftp-server is not there, so copies by scp and sftp fail: correct the line Subsystem',
    );
  });

  it('root keeps its key where the engine logs in as root', () => {
    const root = plan('ssh-root-login', {
      server: { user: 'root', become: 'none' },
      sshd: { permitrootlogin: 'yes' },
    });
    expect(textOf(root)).toContain('PermitRootLogin prohibit-password');
    expect(
      messages(root).some((message) => message.startsWith('ssh-root-login: the engine logs in as root')),
    ).toBe(true);
    expect(textOf(plan('ssh-root-login', { sshd: { permitrootlogin: 'yes' } }))).toContain(
      'PermitRootLogin no',
    );
  });

  it('baseline does not weaken a server that lets root in by no way at all', () => {
    const text = textOf(plan('ssh-root-login', { profile: 'baseline', sshd: { permitrootlogin: 'no' } }));
    expect(text).toContain('PermitRootLogin no');
  });

  it('a bound of sshd does not weaken what the host has, and a document may loosen what it had itself', () => {
    const written = (lines: readonly SshdLine[], value: string) =>
      textOf(plan('ssh-max-auth-tries', { profile: 'baseline', sshd: { maxauthtries: value }, lines }));
    const [keyword, main] = ['maxauthtries', '/etc/ssh/sshd_config'];
    expect(written([{ keyword, file: main, value: '2' }], '2')).toContain('MaxAuthTries 2\n');
    expect(written([{ keyword, file: main, value: '6' }], '6')).toContain('MaxAuthTries 4\n');
    expect(written([{ keyword, file: SSHD_FILE, value: '3' }], '3')).toContain('MaxAuthTries 4\n');
    expect(written([], '6')).toContain('MaxAuthTries 4\n');
  });

  it('a server that others are reached through keeps the forwarding that they need', () => {
    const jump = plan('ssh-tcp-forwarding', { jumpFor: ['db-1'], sshd: { allowtcpforwarding: 'yes' } });
    expect(textOf(jump)).toContain('AllowTcpForwarding local');
    expect(messages(jump)).toContain(
      'ssh-tcp-forwarding: db-1 is reached through this server, so it keeps AllowTcpForwarding local',
    );
    expect(textOf(plan('ssh-tcp-forwarding', { sshd: { allowtcpforwarding: 'yes' } }))).toContain(
      'AllowTcpForwarding no',
    );
  });
});

interface Host extends HardenedHost {
  readonly profile?: 'baseline' | 'strict';
  readonly server?: Partial<ResolvedServer>;
  readonly jumpFor?: readonly string[];
  /** Of other documents. */
  readonly packages?: Readonly<Record<string, 'present' | 'absent'>>;
}

function plan(id: string | readonly string[], host: Host): KindPlan {
  const { profile = 'strict', server, jumpFor = [] } = host;
  const spec = specOf([id].flat(), profile);
  const readings = readingsOn(host, spec);
  const context = { payloads: new Map(), seals: new Map(), server: { ...SERVER, ...server }, jumpFor };
  return hardening.plan(spec, readings, context);
}

function specOf(ids: readonly string[], profile: 'baseline' | 'strict'): ResolvedHardening {
  const controls = ids.map((id) => {
    const value = CONTROLS.find((control) => control.id === id)?.range?.value;
    return { id, ...(value === undefined ? {} : { value }) };
  });
  return { profile, controls, waivers: [] };
}

/** What the document asks of the host, and packages that others want of it. */
function readingsOn(host: Host, spec: ResolvedHardening): Readings {
  const others = Object.entries(host.packages ?? {}).map(([key, want]) => ({ fact: 'package', key, want }));
  return new Map(
    [...hardening.needs(spec), ...others].map((query): [ItemKey, Reading] => {
      return [`${query.fact}:${query.key}`, { query, state: stateOn(host, query), raw: '' }];
    }),
  );
}

function yields(id: string, host: Host): readonly ItemKey[] {
  const spec = specOf([id], 'strict');
  return hardening.yields?.(spec, readingsOn(host, spec)) ?? [];
}

function account(more: Partial<Account>): Account {
  return { name: 'a', uid: 1000, password: 'locked', keys: false, ...more };
}

function steps(made: KindPlan): readonly string[] {
  return made.steps.map(({ id }) => id);
}

function messages(made: KindPlan): readonly string[] {
  return made.findings.map(({ message }) => message);
}

/** Text of the one file that is written. */
function textOf(made: KindPlan): string | undefined {
  const text = made.steps.find(({ operation }) => operation === 'config.write')?.params.text;
  return typeof text === 'string' ? text : undefined;
}
