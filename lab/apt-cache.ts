import { spawn } from 'node:child_process';
import { chown, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isSameProcess, killProcess, processStart } from './processes.ts';
import { tryRun } from './run.ts';
import { APT_CACHE_PORT, BRIDGE_ADDRESS, type LabSettings, RUN_DIR } from './settings.ts';
import { waitFor } from './wait.ts';

/** Time for apt-cacher-ng to listen, ms. */
const LISTEN_DEADLINE_MS = 15_000;
const SERVICE_USER = 'apt-cacher-ng';

export const APT_PROXY = `http://${BRIDGE_ADDRESS}:${APT_CACHE_PORT}`;

const configDir = join(RUN_DIR, 'apt-cache');
const pidFile = join(configDir, 'process.json');

interface Running {
  readonly pid: number;
  readonly start: string;
}

/** Starts the cache unless it serves already. The caller holds the network lock and the bridge is up. */
export async function ensureAptCache(settings: LabSettings): Promise<void> {
  if (await serves()) return;
  const owner = await serviceUser();
  const cacheDir = join(settings.cacheDir, 'apt');
  const logDir = join(cacheDir, 'log');
  await rm(configDir, { recursive: true, force: true });
  for (const dir of [configDir, cacheDir, logDir]) {
    await mkdir(dir, { recursive: true });
    await chown(dir, owner.uid, owner.gid);
  }
  await writeFile(join(configDir, 'acng.conf'), cacheConfig(cacheDir, logDir, await upstreamProxy()));
  const log = await open(join(logDir, 'process.log'), 'w');
  const child = spawn('/usr/sbin/apt-cacher-ng', ['-c', configDir], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    ...owner,
  });
  child.on('error', () => {});
  child.unref();
  await log.close();
  if (child.pid === undefined)
    throw new Error('apt-cacher-ng could not be started; run `npx tsx lab/prerequisites.ts`');
  const running: Running = { pid: child.pid, start: (await processStart(child.pid)) ?? '' };
  await writeFile(pidFile, JSON.stringify(running));
  await waitFor(`apt-cacher-ng on ${APT_PROXY} (log: ${logDir})`, LISTEN_DEADLINE_MS, serves);
}

export async function stopAptCache(): Promise<void> {
  const running = await readFile(pidFile, 'utf8').then(
    (text) => JSON.parse(text) as Running,
    () => undefined,
  );
  if (running && (await isSameProcess(running.pid, running.start))) await killProcess(running.pid, 'SIGTERM');
  await rm(configDir, { recursive: true, force: true });
}

/** No Remap lines: those would make it ask other mirrors than the one that the hosts name. */
export function cacheConfig(cacheDir: string, logDir: string, upstream: string | undefined): string {
  return [
    `CacheDir: ${cacheDir}`,
    `LogDir: ${logDir}`,
    'SupportDir: /usr/lib/apt-cacher-ng',
    `Port: ${APT_CACHE_PORT}`,
    `BindAddress: ${BRIDGE_ADDRESS}`,
    'ForeGround: 1',
    'ReportPage:',
    'ExThreshold: 30',
    ...(upstream ? [`Proxy: ${upstream}`] : []),
    '',
  ].join('\n');
}

/** The proxy that this machine's own apt is told to use, if any. */
async function upstreamProxy(): Promise<string | undefined> {
  const dump = await tryRun(['apt-config', 'shell', 'P', 'Acquire::http::Proxy']);
  const proxy = /^P='(.*)'$/m.exec(dump.stdout)?.[1];
  return proxy && proxy !== 'DIRECT' ? proxy : process.env.http_proxy || undefined;
}

async function serviceUser(): Promise<{ uid: number; gid: number }> {
  const passwd = await readFile('/etc/passwd', 'utf8');
  const fields = passwd
    .split('\n')
    .find((line) => line.startsWith(`${SERVICE_USER}:`))
    ?.split(':');
  return { uid: Number(fields?.[2] ?? 0), gid: Number(fields?.[3] ?? 0) };
}

function serves(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: BRIDGE_ADDRESS, port: APT_CACHE_PORT, timeout: 1000 });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
