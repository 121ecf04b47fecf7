import { describe, expect, it } from 'vitest';
import type { ItemKey, Reading, Readings } from '../../facts/fact.ts';
import type { Account } from '../../facts/survey.ts';
import type { ResolvedServer } from '../../spec/resolution.ts';
import { SERVER } from '../../spec/testing.ts';
import type { KindPlan } from '../kind.ts';
import { CONTROLS } from './catalogue.ts';
import { hardening } from './plan.ts';
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
}

function plan(id: string, host: Host): KindPlan {
  const { profile = 'strict', server, jumpFor = [] } = host;
  const value = CONTROLS.find((control) => control.id === id)?.range?.value;
  const spec = { profile, controls: [{ id, ...(value === undefined ? {} : { value }) }], waivers: [] };
  const readings: Readings = new Map(
    hardening.needs(spec).map((query): [ItemKey, Reading] => {
      return [`${query.fact}:${query.key}`, { query, state: stateOn(host, query), raw: '' }];
    }),
  );
  const context = { payloads: new Map(), seals: new Map(), server: { ...SERVER, ...server }, jumpFor };
  return hardening.plan(spec, readings, context);
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
