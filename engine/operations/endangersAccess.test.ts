import { describe, expect, it } from 'vitest';
import type { ItemKey } from '../facts/fact.ts';
import type { Step } from '../plan/step.ts';
import { endangersAccess } from './endangersAccess.ts';
import type { Params } from './operation.ts';

const step = (operation: string, params: Params, absent: readonly ItemKey[] = []): Step => ({
  kind: 'step',
  id: 'x',
  operation,
  host: 'web-1',
  params,
  dependsOn: [],
  reversible: 'yes',
  disruption: 'none',
  reason: 'change',
  wave: 0,
  document: 'Configuration/web',
  summary: '',
  diff: '',
  onRemoval: 'restore',
  absent,
  before: {},
});
const script = (apply: string) =>
  step('script.run', { name: 'x', check: 'false', apply, undo: null, timeoutSeconds: 60 });
const released = (item: ItemKey) => step('item.release', { item });

describe('steps that can shut people out', () => {
  it.each([
    'path:/etc/ssh/sshd_config',
    'path:/etc/ssh/sshd_config.d/10-own.conf',
    'path:/etc/pam.d/sshd',
    'path:/etc/pam.conf',
    'path:/etc/security/access.conf',
    'path:/etc/sudoers',
    'path:/etc/sudoers.d/deploy',
    'path:/etc/nftables.conf',
    'path:/etc/network/interfaces',
    'path:/etc/netplan/50.yaml',
    'path:/etc/systemd/network/eth0.network',
    'path:/etc/systemd/system/ssh.service',
    'path:/etc/systemd/system/ssh.service.d/own.conf',
    'path:/etc/systemd/system/sshd@.service',
    'path:/etc/systemd/system/multi-user.target.wants/nftables.service',
    'path:/etc/nsswitch.conf',
    'path:/etc/shadow',
    'path:/etc/hosts.deny',
    'path:/etc/login.defs',
    'path:/etc/nologin',
    'path:/etc/profile.d/own.sh',
    'path:/home/deploy',
    'path:/home/deploy/.bashrc',
    'path:/home/deploy/.ssh',
    'path:/home/deploy/.ssh/authorized_keys',
    'path:/root/.ssh/authorized_keys',
    'path:/bin/bash',
    'user:deploy',
    'group:sudo',
    'authorized-keys:deploy',
    'sysctl:net.ipv4.ip_forward',
    'unit:ssh.service',
    'unit:ssh.socket',
    'unit:nftables.service',
    'unit:systemd-networkd.service',
    'unit:ifup@eth0.service',
    'package:openssh-server',
    'package:libpam-modules',
    'package:nftables',
  ] as const)('%s', (item) => expect(endangersAccess(released(item))).toBe(true));

  it.each([
    'path:/etc/motd',
    'path:/etc/sshguard-notes',
    'path:/etc/nginx/nginx.conf',
    'path:/etc/systemd/system/shop.service',
    'path:/etc/systemd/system/sshop.service',
    'path:/srv/home/deploy',
    'path:/home/deploy/notes.txt',
    'sysctl:vm.swappiness',
    'unit:nginx.service',
    'unit:sshop.service',
    'package:openssh-client',
    'package:nginx',
    'hosts-entry:10.0.0.1',
    'timezone:all',
  ] as const)('not %s', (item) => expect(endangersAccess(released(item))).toBe(false));

  it.each([
    'sed -i s/yes/no/ /etc/ssh/sshd_config',
    'systemctl restart ssh',
    "printf 'deploy ALL=NOPASSWD: ALL' | tee /etc/sudoers.d/deploy",
    'pam-auth-update --force',
    'nft -f rules.nft',
    'x=1; iptables-restore < /srv/rules',
    'usermod -L deploy',
    'userdel deploy',
    'echo deploy:x | chpasswd',
    'ip link set eth0 down',
    'ip -6 route replace default via fe80::1',
    'rm /home/deploy/.ssh/authorized_keys',
    'touch /etc/nologin',
    'sed -i /^deploy/d /etc/shadow',
    'sysctl -w net.ipv4.ip_forward=0',
    'chmod 700 /home/deploy',
  ])('a script that says %s', (apply) => {
    expect(endangersAccess(script(apply))).toBe(true);
  });

  it.each([
    'make install',
    'echo ship it; sleep 5',
    'touch /srv/nftables-notes.txt /root/done /home/deploy/notes',
    'php shop/passwordless.php',
  ])('not one that says %s', (apply) => expect(endangersAccess(script(apply))).toBe(false));

  it('not what forgets an item without changing it', () => {
    expect(endangersAccess(step('item.forget', { item: 'path:/etc/ssh/sshd_config' }))).toBe(false);
  });

  it('not who is new on the host', () => {
    const made = { name: 'new', group: null };
    expect(endangersAccess(step('user.set', made, ['user:new']))).toBe(false);
    expect(endangersAccess(step('user.set', made))).toBe(true);
  });

  it('a restart of sshd, whatever was changed for it', () => {
    expect(endangersAccess(step('unit.restart', { unit: 'ssh.service' }))).toBe(true);
    expect(endangersAccess(step('unit.reload', { unit: 'nginx.service' }))).toBe(false);
  });
});
