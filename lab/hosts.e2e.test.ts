import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { groupProcesses } from './cgroups.ts';
import { type Lab, type LabHost, openLab } from './hosts.ts';
import { labObstacle } from './prerequisites.ts';
import { type RunResult, tryRun } from './run.ts';
import { cardAddress, labSettings } from './settings.ts';
import { waitFor } from './wait.ts';

const obstacle = await labObstacle();
if (obstacle && process.env.CI === 'true') throw new Error(obstacle);

const BOOT_MS = 240_000;
const TEST_MS = 120_000;

/** `connectSeconds`: a busy host answers late; few where none is to answer. */
function ssh(host: LabHost, user: string, command: string, connectSeconds = 30): Promise<RunResult> {
  const options = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    `ConnectTimeout=${connectSeconds}`,
  ];
  const flags = options.flatMap((option) => ['-o', option]);
  return tryRun([
    'ssh',
    '-F',
    'none',
    '-i',
    host.privateKeyPath,
    ...flags,
    `${user}@${host.address}`,
    command,
  ]);
}

/** Everything on this machine that belongs to the host of that kernel name. */
async function traces(host: Pick<LabHost, 'kernelName' | 'rootDir'>): Promise<string[]> {
  const { kernelName } = host;
  const groups = await tryRun(['find', '/sys/fs/cgroup', '-maxdepth', '3', '-name', kernelName]);
  const links = await tryRun(['ip', '-o', 'link', 'show', 'dev', kernelName]);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const dir = dirname(host.rootDir);
  return [
    ...(await readdir('/run/netns').catch(() => [])).filter((name) => name === kernelName),
    ...(await readdir('/run/systemd/nspawn/propagate').catch(() => [])).filter((name) => name === kernelName),
    ...groups.stdout.split('\n').filter(Boolean),
    ...(links.code === 0 ? [links.stdout] : []),
    ...mounts.filter((line) => line.includes(`${dir}/`)),
    ...(await readdir(dir).catch(() => [])),
    ...(await groupProcesses(kernelName)).map(String),
  ];
}

describe.skipIf(obstacle)('lab hosts', () => {
  let lab: Lab;
  let a: LabHost;
  let b: LabHost;
  beforeAll(async () => {
    lab = await openLab();
    [a, b] = (await lab.up(['alpha', 'beta'])) as [LabHost, LabHost];
  }, BOOT_MS);
  afterAll(() => lab?.down(), TEST_MS);

  test('are whole Debian systems, each with an identity of its own', { timeout: TEST_MS }, async () => {
    const script =
      'hostname; cat /etc/machine-id; systemctl is-system-running; . /etc/os-release; echo $ID; command -v python3';
    const seen = await Promise.all(
      [a, b].map(async (host) => (await host.exec(script)).stdout.trim().split('\n')),
    );
    expect(seen.map(([name]) => name)).toEqual(['alpha', 'beta']);
    expect(seen.map(([, , state, id, python]) => [state, id, python])).toEqual([
      ['running', 'debian', undefined],
      ['running', 'debian', undefined],
    ]);
    expect(seen[0]?.[1]).not.toBe(seen[1]?.[1]);
    expect(new Set([...a.hostKeys, ...b.hostKeys]).size).toBe(4);
    expect(a.hostKeys[0]).toMatch(/^ssh-ed25519 AAAA/);
    const scan = await tryRun(['ssh-keyscan', '-t', 'ed25519', a.address]);
    expect(scan.stdout).toContain(`${a.address} ${a.hostKeys[0]}`);
  });

  test('let root and deploy in, deploy with sudo; apt works through the cache', {
    timeout: TEST_MS,
  }, async () => {
    expect((await ssh(a, 'root', 'id -u')).stdout).toBe('0\n');
    expect((await ssh(a, 'deploy', 'id -un; sudo -n id -u')).stdout).toBe('deploy\n0\n');
    expect(
      await ssh(a, 'root', 'apt-get update -qq && apt-get install -qqy tree && tree --version'),
    ).toMatchObject({
      code: 0,
    });
  });

  test('an address has its card, so that who gets it next is found at once', async () => {
    for (const host of [a, b]) {
      const card = cardAddress(Number(host.address.split('.').at(-1)));
      expect((await host.exec('cat /sys/class/net/eth0/address')).stdout.trim()).toBe(card);
    }
  });

  test('stopping a unit on one leaves the other alone', { timeout: TEST_MS }, async () => {
    await Promise.all([a, b].map((host) => host.exec('systemd-run --unit=idle sleep infinity')));
    await a.exec('systemctl stop idle.service');
    expect((await a.exec('systemctl is-active idle.service')).stdout).toBe('inactive\n');
    expect((await b.exec('systemctl is-active idle.service')).stdout).toBe('active\n');
  });

  test('keep their disk over an orderly stop and start', { timeout: TEST_MS }, async () => {
    await a.exec(
      'echo kept >/root/kept; systemd-run --unit=bye --property=ExecStop="/bin/touch /root/stopped" sleep infinity',
    );
    await a.stop();
    expect(await groupProcesses(a.kernelName)).toEqual([]);
    expect(await a.running()).toBe(false);
    await a.start();
    // Only an orderly shutdown runs ExecStop.
    expect((await ssh(a, 'root', 'cat /root/kept; ls /root/stopped')).stdout).toBe('kept\n/root/stopped\n');
  });

  test('lose power at once, leave no process, and start again', { timeout: TEST_MS }, async () => {
    await a.exec('systemd-run --unit=bye2 --property=ExecStop="/bin/touch /root/stopped2" sleep infinity');
    const leader = await a.leader();
    await a.kill();
    expect(await groupProcesses(a.kernelName)).toEqual([]);
    await expect(readFile(`/proc/${leader}/status`)).rejects.toThrow();
    await a.start();
    // of ls itself, where ssh would give 255
    expect((await ssh(a, 'root', 'ls /root/stopped2')).code).toBe(2);
  });

  test('come back after a reboot from inside', { timeout: TEST_MS }, async () => {
    const before = await b.leader();
    await b.exec('systemctl reboot');
    await waitFor('another pid 1', TEST_MS, async () => {
      const leader = await b.leader().catch(() => before);
      return (
        leader !== before &&
        (await ssh(b, 'root', 'systemctl is-system-running --wait')).stdout === 'running\n'
      );
    });
    expect(await b.running()).toBe(true);
  });

  test('a pulled cable cuts ssh, not the host', { timeout: TEST_MS }, async () => {
    const leader = await b.leader();
    await b.cut();
    expect((await ssh(b, 'root', 'true', 2)).code).toBe(255);
    expect((await b.exec('echo here')).stdout).toBe('here\n');
    await b.heal();
    await waitFor(
      'ssh after the link is back',
      TEST_MS,
      async () => (await ssh(b, 'root', 'true', 2)).code === 0,
    );
    expect(await b.leader()).toBe(leader);
  });

  test('refuse a name twice and a name that is none', async () => {
    await expect(lab.up(['alpha'])).rejects.toThrow(/has a host alpha already/);
    await expect(lab.up(['../x'])).rejects.toThrow(/not a host name: "..\/x"/);
    expect((await lab.hosts()).map((host) => host.name)).toEqual(['alpha', 'beta']);
  });

  test('a small disk gets full, a memory limit is seen; down leaves nothing', {
    timeout: TEST_MS,
  }, async () => {
    const own = await openLab();
    try {
      const [small] = (await own.up(['small'], { diskMiB: 24, memoryMiB: 200 })) as [LabHost];
      const full = await small.exec('dd if=/dev/zero of=/root/big bs=1M count=64');
      expect(full.stderr).toMatch(/No space left on device/);
      const limit = await small.exec(
        'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null',
      );
      expect(limit.stdout).toContain(String(200 * 1024 * 1024));
      expect(await traces(small)).not.toEqual([]);
      await own.down();
      expect(await traces(small)).toEqual([]);
    } finally {
      await own.down();
    }
    expect(await readdir(`${labSettings().stateDir}/labs`)).not.toContain(own.name);
  });

  test('a lab that could not be opened leaves nothing, also where Ctrl-C ended a program of it', async () => {
    const programs = await mkdtemp(join(tmpdir(), 'doaas-lab-programs-'));
    try {
      await writeFile(join(programs, 'ssh-keygen'), '#!/bin/sh\nkill -INT $$\n', { mode: 0o755 });
      vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
      await expect(openLab({ name: 'never-opened' })).rejects.toThrow(/ssh-keygen.* ended with -1/);
    } finally {
      vi.unstubAllEnvs();
      await rm(programs, { recursive: true });
    }
    expect(await readdir(`${labSettings().stateDir}/labs`)).not.toContain('never-opened');
  });

  test('a lab is taken down also where a signal has ended its watcher', async () => {
    const lab = await openLab();
    const watcher = await waitFor('the watcher', TEST_MS, () => watcherOf(lab.name));
    process.kill(watcher, 'SIGINT');
    await waitFor('its end', TEST_MS, async () => (await watcherOf(lab.name)) === undefined);
    await lab.down();
    expect(await readdir(`${labSettings().stateDir}/labs`)).not.toContain(lab.name);
  });

  test('a lab whose process is killed is taken down by its watcher', { timeout: TEST_MS }, async () => {
    const module = fileURLToPath(new URL('./hosts.ts', import.meta.url));
    const script = `import { openLab } from ${JSON.stringify(module)};
      const lab = await openLab(); const [host] = await lab.up(['orphan']);
      console.log(JSON.stringify({ kernelName: host.kernelName, rootDir: host.rootDir })); setInterval(() => {}, 1000);`;
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
    const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(owner.stdout, 'data');
    const host = JSON.parse(String(line)) as { kernelName: string; rootDir: string };
    expect(await traces(host)).not.toEqual([]);
    owner.kill('SIGKILL');
    // The lab's folder goes last.
    await waitFor('the watcher', TEST_MS, async () => (await traces(host)).length === 0);
  });
});

async function watcherOf(lab: string): Promise<number | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words.includes('doaas-lab-watch') && words.includes(lab)) return Number(pid);
  }
  return undefined;
}
