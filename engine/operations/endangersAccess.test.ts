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
    'path:/etc/wireguard',
    'path:/etc/wireguard/wg0.conf',
    'path:/etc/openvpn/client/office.conf',
    'path:/etc/ipsec.conf',
    'path:/etc/ipsec.secrets',
    'path:/etc/ipsec.d/certs/own.pem',
    'path:/etc/swanctl/conf.d/office.conf',
    'path:/etc/strongswan.conf',
    'path:/etc/strongswan.d/charon.conf',
    'path:/var/lib/tailscale/tailscaled.state',
    'path:/etc/dhcp',
    'path:/etc/dhcp/dhclient.conf',
    'path:/etc/dhcp/dhclient-exit-hooks.d/own',
    'path:/etc/dhcpcd.conf',
    'path:/etc/wpa_supplicant/wpa_supplicant.conf',
    'path:/etc/iwd/main.conf',
    'path:/etc/systemd/networkd.conf',
    'path:/etc/systemd/networkd.conf.d/own.conf',
    'path:/etc/systemd/resolved.conf',
    'path:/etc/systemd/resolved.conf.d/own.conf',
    'path:/etc/sssd/sssd.conf',
    'path:/etc/sssd/conf.d/own.conf',
    'path:/etc/nslcd.conf',
    'path:/etc/krb5.conf',
    'path:/etc/krb5.keytab',
    'path:/srv/git/.ssh',
    'path:/srv/git/.ssh/authorized_keys',
    'path:/var/lib/backup/.ssh/authorized_keys2',
    'path:/etc/systemd/system/wg-quick@wg0.service.d/own.conf',
    'path:/',
    'path:/etc',
    'path:/usr',
    'path:/bin',
    'path:/sbin',
    'path:/lib',
    'path:/usr/lib',
    'path:/usr/lib64',
    'path:/usr/lib/x86_64-linux-gnu',
    'path:/lib/aarch64-linux-gnu',
    'path:/usr/lib/x86_64-linux-gnu/libcrypto.so.3',
    'path:/usr/local/lib/libz.so',
    'path:/lib64/ld-linux-x86-64.so.2',
    'path:/lib/x86_64-linux-gnu/security/pam_own.so',
    'path:/usr/lib/security',
    'path:/etc/apparmor.d/usr.sbin.sshd',
    'path:/etc/apparmor.d/local/usr.sbin.sshd',
    'path:/etc/apparmor.d/abstractions/base',
    'path:/etc/modprobe.d/own.conf',
    'path:/etc/modules-load.d/own.conf',
    'sysctl:vm.overcommit_memory',
    'sysctl:vm.overcommit_ratio',
    'sysctl:kernel.pid_max',
    'sysctl:kernel.threads-max',
    'sysctl:fs.file-max',
    'sysctl:fs.nr_open',
    'sysctl:vm.nr_hugepages',
    'user:deploy',
    'group:sudo',
    'authorized-keys:deploy',
    'sysctl:net.ipv4.ip_forward',
    'unit:ssh.service',
    'unit:ssh.socket',
    'unit:nftables.service',
    'unit:systemd-networkd.service',
    'unit:ifup@eth0.service',
    'unit:wg-quick@wg0.service',
    'unit:openvpn.service',
    'unit:openvpn@office.service',
    'unit:openvpn-client@office.service',
    'unit:tailscaled.service',
    'unit:strongswan.service',
    'unit:strongswan-starter.service',
    'unit:ipsec.service',
    'unit:sssd.service',
    'unit:sssd-nss.socket',
    'unit:nslcd.service',
    'unit:winbind.service',
    'unit:dhcpcd.service',
    'unit:wpa_supplicant@wlan0.service',
    'unit:iwd.service',
    'unit:systemd-resolved.service',
    'package:openssh-server',
    'package:openssh-client',
    'package:openssh-client:amd64',
    'package:sudo',
    'package:libpam-modules',
    'package:libssl3',
    'package:libssl3t64',
    'package:zlib1g',
    'package:zlib1g:amd64',
    'package:libwrap0',
    'package:libgssapi-krb5-2',
    'package:libaudit1',
    'package:libcrypt1',
    'package:libdb5.3t64',
    'package:liblzma5',
    'package:nftables',
    'package:iproute2',
    'package:wireguard-tools',
    'package:openvpn',
    'package:tailscale',
    'package:strongswan-swanctl',
    'package:libstrongswan',
    'package:nscd',
  ] as const)('%s', (item) => expect(endangersAccess(released(item))).toBe(true));

  it.each([
    'path:/etc/motd',
    'path:/etc/sshguard-notes',
    'path:/etc/nginx/nginx.conf',
    'path:/etc/systemd/system/shop.service',
    'path:/etc/systemd/system/sshop.service',
    'path:/srv/home/deploy',
    'path:/home/deploy/notes.txt',
    'path:/etc/wireguard-notes',
    'path:/srv/openvpn/notes',
    'path:/etc/ipsec-notes',
    'path:/etc/dhcp/dhcpd.conf',
    'path:/etc/dhcpcd-notes.conf',
    'path:/etc/systemd/journald.conf',
    'path:/etc/systemd/networkd.conf-notes',
    'path:/srv/sssd/sssd.conf',
    'path:/etc/nslcd.conf.example',
    'path:/etc/ldap/schema/own.schema',
    'path:/var/lib/tailscaled',
    'path:/srv/git/.sshrc-notes',
    'path:/srv/ssh/authorized_keys',
    'path:/etc/systemd/system/wg-portal.service',
    'path:/usr/lib/nginx/modules/own.so',
    'path:/usr/lib/python3/dist-packages/own.py',
    'path:/usr/local/lib/own',
    'path:/usr/share/security/notes',
    'path:/srv/lib/security/own.so',
    'path:/etc/apparmor.d/usr.sbin.nginx',
    'path:/etc/modprobe.conf-notes',
    'sysctl:vm.swappiness',
    'sysctl:kernel.sysrq',
    'sysctl:fs.inotify.max_user_watches',
    'unit:nginx.service',
    'unit:sshop.service',
    'unit:wg-portal.service',
    'unit:openvpnas.service',
    'unit:tailscale-exporter.service',
    'unit:ipsecurity.service',
    'unit:sssdump.service',
    'unit:dhcpd.service',
    'package:nginx',
    'package:openssh-known-hosts',
    'package:libssl-dev',
    'package:zlib1g-dev',
    'package:libaudit-dev',
    'package:libsystemd-dev',
    'package:openvpn-exporter',
    'package:tailscale-exporter',
    'package:wireguard-ui',
    'package:less',
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
    'wg set wg0 peer x remove',
    'wg-quick down wg0',
    'systemctl restart wg-quick@wg0.service',
    'tc qdisc add dev eth0 root netem loss 100%',
    'tc -force filter replace dev eth0 ingress protocol all matchall action drop',
    'apt-get purge -y openssh-server',
    'dpkg -r libpam-modules',
    'tailscale down',
    'systemctl stop tailscaled',
    'swanctl --load-all',
    'ipsec restart',
    'systemctl disable --now openvpn@office',
    'resolvectl dns eth0 192.0.2.1',
    'dhclient -r eth0',
    'wpa_cli disconnect',
    'rm /etc/wireguard/wg0.conf',
    'systemctl restart sssd',
    'rm -rf /etc',
    'rm -rf "/usr/lib" /srv/x',
    'rm -rf /*',
    'chmod -R g-w /',
    'chown -R deploy: /usr; echo done',
    'mv /lib /lib.old',
    'mount --bind /srv/etc /etc',
    'cp own.so /lib/x86_64-linux-gnu/security/',
  ])('a script that says %s', (apply) => {
    expect(endangersAccess(script(apply))).toBe(true);
  });

  it.each([
    'make install',
    'echo ship it; sleep 5',
    'touch /srv/nftables-notes.txt /root/done /home/deploy/notes',
    'php shop/passwordless.php',
    'wget -q https://example.com/own.tar',
    'cp -r /srv/etc files',
    'echo tc; make openssh',
    'curl -s http://localhost/tailscale-notes',
    './openvpn-notes.sh; ./ipsec_notes',
    'grep -c dhcp /srv/notes',
    'echo sssdump resolv',
    'rm -rf /etc/nginx/sites-enabled/default /srv/shop/',
    'chmod 0644 /usr/share/shop/notes',
    'rm -rf ./etc build/usr; ls /usr',
    'mkdir -p /srv/security; confirm /',
  ])('not one that says %s', (apply) => expect(endangersAccess(script(apply))).toBe(false));

  it('not what forgets an item without changing it', () => {
    expect(endangersAccess(step('item.forget', { item: 'path:/etc/ssh/sshd_config' }))).toBe(false);
  });

  it('packages that go along, named in the step but no items of it', () => {
    const removal = (...removes: string[]) =>
      endangersAccess(step('packages.remove', { packages: ['ucf'], removes }));
    expect(removal('openssh-server', 'less')).toBe(true);
    expect(removal('libssl3:amd64')).toBe(true);
    expect(removal('nginx', 'nginx-common')).toBe(false);
    expect(removal()).toBe(false);
    const one = { name: 'ucf', version: '3', hold: false, origin: null };
    expect(endangersAccess(step('packages.install', { packages: [one], removes: ['sudo'] }))).toBe(true);
    expect(endangersAccess(step('packages.install', { packages: [one], removes: [] }))).toBe(false);
  });

  it('packages that come along, get another version, or are not known yet', () => {
    const one = { name: 'libssl-dev', version: null, hold: false, origin: null };
    const installing = (along: readonly string[] | null) =>
      endangersAccess(step('packages.install', { packages: [one], removes: [], along }));
    expect(installing(['libssl3'])).toBe(true);
    expect(installing(['libpam-sss:amd64'])).toBe(true);
    expect(installing(['network-manager'])).toBe(true);
    expect(installing(null)).toBe(true);
    expect(installing(['libfoo'])).toBe(false);
    expect(
      endangersAccess(step('packages.remove', { packages: ['ucf'], removes: [], along: ['sssd'] })),
    ).toBe(true);
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
