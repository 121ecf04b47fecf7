import { generateKeyPairSync } from 'node:crypto';
import { rulesetText } from '../../engine/kinds/firewall/ruleset.ts';
import type { DesiredFirewall } from '../../engine/kinds/firewall/spec.ts';
import type { Payload, ResolvedConfiguration, ResolvedFile } from '../../engine/spec/configuration.ts';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';

/** The fields of shadow(5) before the one that says when an account expires. */
const SHADOW = '\\(deploy\\(:[^:]*\\)\\{6\\}\\)';
const DEVICE = '"$(ip -o -4 addr show scope global | cut -d\' \' -f2 | head -n 1)"';

type Spec = Partial<ResolvedConfiguration>;
type Make = (payload: (text: string) => Payload) => Wanted;

const SSHD = '/etc/ssh/sshd_config.d/lockout.conf';
const OTHER_HOST_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'sec1',
  format: 'pem',
}) as string;
const FOREIGN_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC9EMvAz1f05VXAxUAe3WA5+MCh01ZsWuQPzARJrB9T9 nobody';

/** It lets nobody in but one who comes from a network that is nobody's. */
const FOREIGN_FIREWALL: DesiredFirewall = {
  management: { port: 22, from: ['192.0.2.0/24'], jumps: [] },
  inbound: {},
  outbound: { default: 'accept', rules: {} },
  portForwards: {},
  masquerade: {},
  logDropped: false,
};

/** Each shuts out the engine's login, in a way of its own, in words that a pull request could hold. */
export const MECHANISMS = {
  'sshd on another port': sshd('Port 2222\n'),
  'sshd on loopback only': sshd('ListenAddress 127.0.0.1\n'),
  'sshd_config with a syntax error': sshd('Prot 22\n'),
  'AllowUsers without the login': sshd('AllowUsers root\n'),
  'DenyUsers with the login': sshd('DenyUsers deploy\n'),
  'no public keys': sshd('PubkeyAuthentication no\n'),
  'keys looked for elsewhere': sshd('AuthorizedKeysFile /etc/ssh/keys/%u\n'),
  'no sessions': sshd('MaxSessions 0\n'),
  'a forced command': sshd('ForceCommand /bin/false\n'),
  'another host key': sshd('HostKey /etc/ssh/lockout_key\n', (payload) => ({
    '/etc/ssh/lockout_key': file(payload(OTHER_HOST_KEY), { mode: '0600' }),
  })),
  'host keys removed': () => ({
    files: {
      '/etc/ssh/ssh_host_ed25519_key': gone(['ssh.service']),
      '/etc/ssh/ssh_host_ecdsa_key': gone(['ssh.service']),
    },
  }),
  'ssh.service stopped and disabled': () => ({
    units: { 'ssh.service': { state: 'present', enabled: false, running: false } },
  }),
  'shell is nologin': () => ({
    users: { deploy: { state: 'present', system: false, shell: '/usr/sbin/nologin' } },
  }),
  'user expired': script(
    `sed -i 's/^${SHADOW}:[^:]*:/\\1:1:/' /etc/shadow`,
    `sed -i 's/^${SHADOW}:1:/\\1::/' /etc/shadow`,
  ),
  'interface down': script(`ip link set ${DEVICE} down`, `ip link set ${DEVICE} up`),
  'key replaced by another': () => ({
    users: { deploy: { state: 'present', system: false, authorizedKeys: [FOREIGN_KEY] } },
  }),
  'keys emptied': () => ({ users: { deploy: { state: 'present', system: false, authorizedKeys: [] } } }),
  'home folder writable for all': () => ({
    directories: { '/home/deploy': directory('0777') },
  }),
  '~/.ssh writable for all': () => ({ directories: { '/home/deploy/.ssh': directory('0777') } }),
  '.bashrc that ends the shell': (payload) => ({
    files: { '/home/deploy/.bashrc': file(payload('exit 1\n'), { owner: 'deploy', group: 'deploy' }) },
  }),
  'sudoers with a syntax error': sudoers('deploy ALL=(ALL NOPASSWD\n', 'deploy'),
  'sudoers rule removed': () => ({ files: { '/etc/sudoers.d/deploy': gone() } }),
  'sudo asks for a password': sudoers('deploy ALL=(ALL:ALL) PASSWD: ALL\n'),
  'sudo only for another command': sudoers('deploy ALL=(ALL) !ALL\n'),
  'PAM denies sshd': pam('sshd', 'account required pam_deny.so\n'),
  'PAM denies sudo': pam('sudo', 'account required pam_deny.so\n'),
  '/etc/nologin': (payload) => ({ files: { '/etc/nologin': file(payload('closed\n')) } }),
  'nft drops all': nft('input', 'policy drop'),
  'nft closes the port': nft('input', 'tcp dport 22 drop'),
  'nft drops the way out': nft('output', 'policy drop'),
  'nft with a syntax error': nft('inputt', 'policy drop'),
  'a Firewall for another engine': (payload) => {
    const script = payload(rulesetText(FOREIGN_FIREWALL));
    return [testDocument('Firewall', { desired: FOREIGN_FIREWALL, script, probes: [] })];
  },
  'openssh-client removed, and sshd with it': removed('openssh-client'),
  'a library of sshd removed': removed('libwrap0'),
} as const satisfies Readonly<Record<string, Make>>;

export type Mechanism = keyof typeof MECHANISMS;

function sshd(text: string, more: (payload: (text: string) => Payload) => Spec['files'] = () => ({})): Make {
  return (payload) => ({
    files: { ...more(payload), [SSHD]: file(payload(text), { restart: ['ssh.service'] }) },
  });
}

/** Guarded by its own words. */
function script(apply: string, undo: string): Make {
  return () => ({
    scripts: {
      lockout: {
        check: 'test -e /run/lockout',
        apply: `${apply}; touch /run/lockout`,
        undo: `rm -f /run/lockout; ${undo}`,
        timeoutSeconds: 60,
      },
    },
  });
}

function removed(name: string): Make {
  return () => ({ packages: { [name]: { state: 'absent' } } });
}

function sudoers(text: string, name = 'zz-lockout'): Make {
  return (payload) => ({ files: { [`/etc/sudoers.d/${name}`]: file(payload(text), { mode: '0440' }) } });
}

function pam(service: string, text: string): Make {
  return (payload) => ({ files: { [`/etc/pam.d/${service}`]: file(payload(text)) } });
}

function nft(hook: string, rule: string): Make {
  const rules = `table inet own {\n  chain own {\n    type filter hook ${hook} priority 0;\n    ${rule}\n  }\n}\n`;
  return (payload) => ({
    files: {
      '/etc/nftables.conf': file(payload(`#!/usr/sbin/nft -f\nflush ruleset\n${rules}`), {
        mode: '0755',
        restart: ['nftables.service'],
      }),
    },
    units: { 'nftables.service': { state: 'present', enabled: true, running: true } },
  });
}

function file(
  content: Payload,
  more: { mode?: string; owner?: string; group?: string; restart?: readonly string[] } = {},
): ResolvedFile {
  const { mode = '0644', owner = 'root', group = 'root', restart = [] } = more;
  return { state: 'file', content, mode, owner, group, notify: { reload: [], restart } };
}

function gone(restart: readonly string[] = []): ResolvedFile {
  return { state: 'absent', notify: { reload: [], restart } };
}

function directory(mode: string) {
  return {
    state: 'directory' as const,
    mode,
    owner: 'deploy',
    group: 'deploy',
    notify: { reload: [], restart: [] },
  };
}
