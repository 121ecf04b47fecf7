import { readFileSync } from 'node:fs';
import { Client, type ClientChannel } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { resolvedHardening } from '../../engine/kinds/hardening/testing/spec.ts';
import { useTestHost } from '../../engine/operations/testing/cycle.ts';
import { testDocument } from '../hostHarness.ts';

/** What hardening guides are known to break, tried on a host that is hardened; kinds/hardening/traps.test.ts judges the rest. */
describe('whom and what strict does not shut out', () => {
  const t = useTestHost();
  const { controls, ...spec } = resolvedHardening({ profile: 'strict' });
  const own = controls.filter(({ id }) => /^(ssh-|faillock|password-|sysctl-ip)/.test(id));
  const wanted = [testDocument('Hardening', { ...spec, controls: own })];
  /** A fresh login, with the engine's key unless a password is given. */
  const login = async (username: string, password?: string): Promise<Client> => {
    const { address: host, port, privateKeyPath } = t.host();
    const proof = password === undefined ? { privateKey: readFileSync(privateKeyPath) } : { password };
    const client = new Client();
    const ready = new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', reject);
    });
    client.connect({ host, port, username, ...proof });
    await ready;
    return client;
  };

  it('people with keys only, root after robots, tools with ten sessions, copies, and networks behind it', async () => {
    await t.outside(PEOPLE);
    const { findings } = await t.harness().plan(wanted);
    const said = findings.map(({ message }) => message).join('\n');
    expect(said).toMatch(/because .*deploy can only log in with a key, .*: password-max-age/);
    expect(said).toMatch(/because packets are forwarded here for eth0, lan0: sysctl-ip-forward/);
    const { run } = await t.applied(wanted);

    expect(await t.outside(ROBOTS)).toMatch(
      /^uid=0\(root\) gid=0\(root\) groups=0\(root\)\nThe account is locked due to 5 failed logins\.\n/,
    );
    expect(await t.outside('cat /proc/sys/net/ipv4/ip_forward')).toBe('1\n');
    for (const name of ['deploy', 'root']) {
      const client = await login(name);
      const sessions = await Promise.all(Array.from({ length: 10 }, () => opened(client)));
      expect(sessions).toHaveLength(10);
      client.end();
      const copying = await login(name);
      expect(await copied(copying, '/etc/hostname')).toBe(await t.outside('cat /etc/hostname'));
      copying.end();
    }
    await expect(login('root', 'Right-1-root')).rejects.toThrow(
      'All configured authentication methods failed',
    );
    expect(await t.outside(PASSWORDS)).toBe('kbdinteractiveauthentication no\npasswordauthentication no\n');
    await t.outside('useradd -m -s /bin/bash joe; echo joe:Right-1-joe | chpasswd');
    const later = await t.harness().plan(wanted);
    expect(later.steps).toEqual([]);
    expect(later.findings.map(({ message }) => message).join('\n')).toMatch(/joe has a password and no key/);
    await expect(login('joe', 'Right-1-joe')).rejects.toThrow('All configured authentication methods failed');
    await t.outside('userdel -r joe 2> /dev/null');
    await t.undone(run);
  });

  it('gives forwarding back once something routes, which keeps what it set itself', async () => {
    const forward = controls.filter(({ id }) => id === 'sysctl-ip-forward');
    const alone = [testDocument('Hardening', { ...spec, controls: forward })];
    await t.outside('ip link del lan0; sysctl -q -w net.ipv4.ip_forward=1');
    await t.applied(alone);
    expect(await t.outside(FORWARDING)).toBe('0\n/etc/sysctl.d/99-zz-doaas-net.ipv4.ip_forward.conf\n');
    await t.outside('ip link add docker0 type bridge');
    const { steps } = await t.harness().plan(alone);
    expect(steps.map(({ id, summary }) => [id, summary])).toEqual([
      ['release:sysctl:net.ipv4.ip_forward', expect.stringMatching(/is needed otherwise on this server/)],
    ]);
    const { run } = await t.applied(alone);
    expect(await t.outside(FORWARDING)).toBe('1\n');
    expect((await t.harness().plan(alone)).steps).toEqual([]);
    await t.undone(run);
    expect(await t.outside(FORWARDING)).toMatch(/^0\n\/etc/);

    await t.outside('ip link del docker0');
    await t.applied([]);
    await t.outside('sysctl -q -w net.ipv4.ip_forward=0; ip link del docker0 2> /dev/null || :');
    await t.applied(alone);
    await t.outside('ip link add docker0 type bridge; sysctl -q -w net.ipv4.ip_forward=1');
    await t.applied(alone);
    expect(await t.outside(FORWARDING)).toBe('1\n');
  });
});

/** A login by key whose password is older than any limit, one that has a password, a password of root's, and a second network. */
const PEOPLE = `set -eu
chage -d 2000-01-01 deploy
useradd -m -s /bin/bash kate
printf 'kate:Right-1-kate\\nroot:Right-1-root\\n' | chpasswd
mkdir -m 0700 /home/kate/.ssh; cp /home/deploy/.ssh/authorized_keys /home/kate/.ssh/; chown -R kate: /home/kate/.ssh
ip link add lan0 type veth peer name lan1
ip addr add 10.98.0.1/24 dev lan0; ip link set lan0 up
sysctl -q -w net.ipv4.ip_forward=1`;

const PASSWORDS = "sshd -T | grep -E '^(password|kbdinteractive)authentication ' | sort";

/** Now, and at boot. */
const FORWARDING = 'cat /proc/sys/net/ipv4/ip_forward; ls /etc/sysctl.d/*ip_forward* 2> /dev/null || :';

/** More wrong passwords than are allowed, then the right ones. */
const ROBOTS = `try() { su -s /bin/sh nobody -c "echo $2 | su $1 -c id" 2> /dev/null; }
for n in 1 2 3 4 5 6; do try root wrong & try kate wrong & done
wait
try root Right-1-root
try kate Right-1-kate || :`;

async function opened(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec('cat', (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });
}

async function copied(client: Client, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.sftp((refused, sftp) => {
      if (refused !== undefined) return reject(refused);
      sftp.readFile(path, 'utf8', (error, text) => (error ? reject(error) : resolve(text.toString())));
    });
  });
}
