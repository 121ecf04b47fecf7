import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../test/until.ts';
import { startTemporal, type TemporalServer, TemporalServerError } from './server.ts';

const DEADLINE_MS = 60_000;
let dir: string;
let running: TemporalServer[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-temporal-test-'));
});
afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  running = [];
  await rm(dir, { recursive: true, force: true });
});

async function start(options: Parameters<typeof startTemporal>[0]): Promise<TemporalServer> {
  const server = await startTemporal(options);
  running.push(server);
  return server;
}

async function withClient<T>(server: TemporalServer, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: server.address });
  return use(new Client({ connection })).finally(() => connection.close());
}

async function alive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ' Z ');
  return !stat.includes(') Z ') && stat !== ' Z ';
}

async function gone(pid: number): Promise<boolean> {
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await pause(50))
    if (!(await alive(pid))) return true;
  return false;
}

test('keeps workflows on its file over a restart, and leaves no process', {
  timeout: DEADLINE_MS,
}, async () => {
  const databaseFile = join(dir, 'deep', 'temporal.db');
  const first = await start({ databaseFile });
  await withClient(first, (client) =>
    client.workflow.start('any', { workflowId: 'kept', taskQueue: 'none' }),
  );
  await first.stop();
  await first.stop();
  expect(await alive(first.pid)).toBe(false);

  const second = await start({ databaseFile });
  const status = await withClient(second, (client) => client.workflow.getHandle('kept').describe());
  expect(status.status.name).toBe('RUNNING');
});

test('two at once take two ports; in memory nothing is left on disk', { timeout: DEADLINE_MS }, async () => {
  const [a, b] = await Promise.all([start({}), start({})]);
  expect(a.address).not.toBe(b.address);
  await a.stop();
  await expect(access(a.logFile)).rejects.toThrow();
  expect(await alive(b.pid)).toBe(true);
});

test('a server that dies is reported with where its log is', { timeout: DEADLINE_MS }, async () => {
  let died: (error: TemporalServerError) => void = () => {};
  const death = new Promise<TemporalServerError>((resolve) => {
    died = resolve;
  });
  const server = await start({ databaseFile: join(dir, 't.db'), onDeath: (error) => died(error) });
  // it answers before it has written that it does
  await until(
    async () => (await readFile(join(dir, 't.db.log'), 'utf8')).includes('Server') || undefined,
    'its log',
  );
  process.kill(server.pid, 'SIGKILL');
  const error = await death;
  expect(error).toBeInstanceOf(TemporalServerError);
  expect(error.message).toMatch(/ended \(exit code 137\); its log .*t\.db\.log ends with:\n.*Server/s);
});

test('a database that is none gives the reason', { timeout: DEADLINE_MS }, async () => {
  await expect(startTemporal({ databaseFile: `${dir}/.`, logFile: join(dir, 'log') })).rejects.toThrow(
    /the Temporal server ended \(exit code 1\).*log/s,
  );
});

test('a port that is taken is named, not replaced', { timeout: DEADLINE_MS }, async () => {
  const server = await start({});
  const port = Number(server.address.split(':')[1]);
  await expect(startTemporal({ port, logFile: join(dir, 'log') })).rejects.toThrow(/address already in use/);
});

test('ends with its engine, also when that is killed', { timeout: DEADLINE_MS }, async () => {
  const server = fileURLToPath(new URL('./server.ts', import.meta.url));
  const script = `import { startTemporal } from ${JSON.stringify(server)};
    const server = await startTemporal({ databaseFile: ${JSON.stringify(join(dir, 'e.db'))} });
    console.log(server.pid); setInterval(() => {}, 1000);`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
  const engine = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(engine.stdout, 'data');
  const pid = Number(String(line));
  expect(await alive(pid)).toBe(true);
  engine.kill('SIGKILL');
  expect(await gone(pid)).toBe(true);
});
