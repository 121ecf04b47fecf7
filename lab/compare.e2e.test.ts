import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareTrees, describeDifferences, type Snapshot, snapshotTree } from './compare.ts';
import { type Lab, type LabHost, openLab } from './hosts.ts';
import { compareInventories, inventoryOf } from './inventory.ts';
import { labObstacle } from './prerequisites.ts';

const obstacle = await labObstacle();
if (obstacle && process.env.CI === 'true') throw new Error(obstacle);

const BOOT_MS = 240_000;
const TEST_MS = 120_000;

describe.skipIf(obstacle)('comparing a host from outside', () => {
  let lab: Lab;
  let host: LabHost;
  beforeAll(async () => {
    lab = await openLab();
    [host] = (await lab.up(['compared'])) as [LabHost];
  }, BOOT_MS);
  afterAll(() => lab?.down(), TEST_MS);

  const differences = async (before: Snapshot): Promise<string> =>
    describeDifferences(await compareTrees(before, await snapshotTree(host)));

  /** What `change` makes, and that `undo` leaves nothing. */
  const seen = async (change: string, undo: string): Promise<string> => {
    const before = await snapshotTree(host);
    expect(await host.exec(`set -e; ${change}`)).toMatchObject({ code: 0 });
    const result = await differences(before);
    expect(await host.exec(`set -e; ${undo}`)).toMatchObject({ code: 0 });
    expect(await differences(before)).toBe('');
    return result;
  };

  test('nothing differs after an idle reboot', { timeout: TEST_MS }, async () => {
    const [before, inventory] = [await snapshotTree(host), await inventoryOf(host)];
    await host.stop();
    await host.start();
    expect(await differences(before)).toBe('');
    expect(compareInventories(inventory, await inventoryOf(host))).toEqual([]);
  });

  test.each([
    [
      'content',
      'cp -a /etc/motd /root/m; echo x >>/etc/motd',
      'cp -a /root/m /etc/motd; rm /root/m',
      '/etc/motd: content\n/root/m: appeared',
    ],
    [
      'content of the same length',
      "sed -i 's/^NAME=/NAMF=/' /usr/lib/os-release",
      "sed -i 's/^NAMF=/NAME=/' /usr/lib/os-release",
      '/usr/lib/os-release: content',
    ],
    [
      'mode of a file of the base',
      'chmod u+s /usr/bin/less',
      'chmod u-s /usr/bin/less',
      '/usr/bin/less: mode',
    ],
    ['owner', 'chown deploy:adm /etc/motd', 'chown root:root /etc/motd', '/etc/motd: owner'],
    [
      'an extended attribute',
      'setcap cap_net_raw+ep /usr/bin/less',
      'setcap -r /usr/bin/less',
      '/usr/bin/less: xattrs',
    ],
    [
      "a link's target",
      'ln -sfn /x /etc/localtime',
      'ln -sfn /usr/share/zoneinfo/Etc/UTC /etc/localtime',
      '/etc/localtime: target',
    ],
    [
      'a second name',
      'ln /etc/machine-id /etc/machine-id-2',
      'rm /etc/machine-id-2',
      '/etc/machine-id: links\n/etc/machine-id-2: appeared',
    ],
    [
      'type',
      'rm /etc/issue.net; mkfifo /etc/issue.net',
      'rm /etc/issue.net; printf "Debian GNU/Linux 12\\n" >/etc/issue.net',
      '/etc/issue.net: type, content',
    ],
    ['a device', 'mknod /root/null c 1 3', 'rm /root/null', '/root/null: appeared'],
    [
      'a file of the base that is gone',
      'mv /etc/issue /run/',
      'mv /run/issue /etc/',
      '/etc/issue: disappeared',
    ],
  ])('sees %s', { timeout: TEST_MS }, async (_what, change, undo, expected) => {
    expect(await seen(change, undo)).toBe(expected);
  });

  test('sees a deleted folder with all below it, and one made anew in its place', {
    timeout: TEST_MS,
  }, async () => {
    const save = 'cp -a /etc/logcheck /run/saved 2>/dev/null || cp -a /etc/pam.d /run/saved';
    const before = await snapshotTree(host);
    await host.exec(
      `${save}; cp -a /etc/pam.d /run/pam.d; rm -r /etc/pam.d; mkdir /etc/pam.d; cp -a /run/pam.d/sshd /etc/pam.d/`,
    );
    const lines = (await differences(before)).split('\n');
    expect(lines).toContain('/etc/pam.d/su: disappeared');
    expect(lines).not.toContain('/etc/pam.d/sshd: disappeared');
    await host.exec('rm -r /etc/pam.d; cp -a /run/pam.d /etc/pam.d');
    expect(await differences(before)).toBe('');
  });

  test('a package installed and purged leaves only what the list names', { timeout: TEST_MS }, async () => {
    const [before, inventory] = [await snapshotTree(host), await inventoryOf(host)];
    const apt = 'DEBIAN_FRONTEND=noninteractive apt-get -qqy';
    await host.exec(`${apt} install nginx-light redis-server`);
    await host.exec("timeout 20 sh -c 'until ss -Hltn | grep -q :6379; do sleep 0.1; done'");
    const installed = compareInventories(inventory, await inventoryOf(host));
    expect(installed).toContain('listening: + tcp 127.0.0.1:6379');
    expect(installed).toContain('active units: + nginx.service');
    expect(await differences(before)).toContain('/usr/sbin/nginx: appeared');
    await host.exec(`${apt} purge --auto-remove nginx-light redis-server`);
    expect(compareInventories(inventory, await inventoryOf(host))).toEqual([]);
    // Debian's nginx keeps its document root.
    const left = ['/var/www', '/var/www/html', '/var/www/html/index.nginx-debian.html'];
    expect(await differences(before)).toBe(left.map((path) => `${path}: appeared`).join('\n'));
  });
});
