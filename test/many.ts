import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startCluster } from '../engine/store/testing/postgres.ts';
import { startTemporal } from '../engine/temporal/server.ts';
import { type EngineHandle, type EngineOptions, startTestEngine } from './engine.ts';
import { keepRecords } from './manyRecords.ts';
import { startWorkerProcess } from './worker.ts';

/** Whether worlds are to have many processes instead of one: `npm run -s test:many`. */
export function isMany(): boolean {
  return process.env.DOAAS_TEST_TOPOLOGY === 'many';
}

/** So that pull requests of a test begin their history anew, which else takes 4,096 events. */
const SUGGEST_CONTINUE = { 'limit.historyCount.suggestContinueAsNew': '100' };

/** That talk to GitHub and reach servers. */
const PROCESSES = 4;

/**
 * One PostgreSQL, one Temporal server, two engines with all roles, two workers; in front of the engines something that
 * gives webhooks to each in turn. `kill` and `start` are of the first engine, whose place the others take. What they log is kept
 * where DOAAS_TEST_LOGS names a folder, and in the end what was delivered, and the histories.
 */
export async function startManyEngines(options: EngineOptions): Promise<EngineHandle> {
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const postgres = await startCluster();
    closing.push(() => postgres.stop());
    const temporal = await startTemporal({ dynamicConfig: SUGGEST_CONTINUE });
    closing.push(() => temporal.stop());
    const connection = await Connection.connect({ address: temporal.address });
    closing.push(() => connection.close());
    const environment = {
      ...withShares(options.environment),
      DATABASE_URL: postgres.url,
      TEMPORAL_ADDRESS: temporal.address,
    };
    const logFileOf = (name: string): string =>
      join(process.env.DOAAS_TEST_LOGS ?? options.dataDir, `${name}.log`);
    const dirOf = (name: string): string => join(options.dataDir, name);
    const startOne = async (name: string): Promise<EngineHandle> => {
      const dataDir = dirOf(name);
      await mkdir(dataDir);
      const logFile = logFileOf(name);
      const engine = await startTestEngine({ ...options, mode: 'process', dataDir, logFile, environment });
      closing.push(() => engine.stop());
      return engine;
    };
    const startOneWorker = async (name: string) => {
      const own = { ...environment, DOAAS_ROLE: 'worker' };
      const worker = await startRestartable(options, own, logFileOf(name));
      closing.push(() => worker.stop());
      return worker;
    };
    // the first brings the schema up to date; two at once would be asked for it as well, but that is another test
    const first = await startOne('first');
    const [second, ...workers] = await Promise.all([
      startOne('second'),
      startOneWorker('third'),
      startOneWorker('fourth'),
    ]);
    const restartAfresh = async (): Promise<void> => {
      const all = [first, second, ...workers];
      await Promise.all(all.map((each) => each.stop()));
      // the workers' data went with them; an engine that has fetched nothing yet has no mirrors
      for (const name of ['first', 'second'])
        await rm(join(dirOf(name), 'mirrors'), { recursive: true, force: true });
      await Promise.all(all.map((each) => each.start()));
    };
    const front = await startFront([first, second]);
    closing.push(front.close);
    const client = new Client({ connection });
    const { DOAAS_TEST_LOGS: folder } = process.env;
    if (folder !== undefined) {
      const records = { folder, github: options.github, temporal: client, databaseUrl: postgres.url };
      closing.push(() => keepRecords(records).catch((error: unknown) => console.error(error)));
    }
    return { ...first, url: front.url, stop, restartAfresh, temporal: () => client, reaching: PROCESSES };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As docs/many-workers.md asks for: what GitHub allows is for all of them together. */
function withShares({
  DOAAS_GITHUB_WRITES_PER_MINUTE: writes,
  ...rest
}: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  if (writes === undefined) return rest;
  return { ...rest, DOAAS_GITHUB_WRITES_PER_MINUTE: String(Math.floor(Number(writes) / PROCESSES)) };
}

/** One that can be started again, on new data. */
async function startRestartable(
  { github, sshKeyFile }: EngineOptions,
  environment: Readonly<Record<string, string>>,
  logFile: string,
) {
  const start = () => startWorkerProcess({ github, sshKeyFile, environment, logFile });
  let worker = await start();
  return {
    stop: () => worker.stop(),
    start: async () => {
      worker = await start();
    },
  };
}

/**
 * As whatever stands before several engines: each request goes to the next one, or to another if that one is away. What an engine says of
 * its own connection is not passed on (RFC 9110, 7.6.1): a sender that took this one to stay open for as long sent on it as it was closed.
 */
async function startFront(engines: readonly EngineHandle[]) {
  let turn = 0;
  const server = createServer(async (incoming, outgoing) => {
    turn += 1;
    // those that come meanwhile move on the turn, and this one would be given to the same engine again
    const own = turn;
    const body = await bodyOf(incoming);
    for (const [tried] of engines.entries()) {
      const engine = engines[(own + tried) % engines.length];
      const answer = await asked(engine?.url() ?? '', incoming, body).catch(() => undefined);
      if (answer === undefined) continue;
      const { connection: _, 'keep-alive': _engines, ...headers } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(outgoing);
      return;
    }
    outgoing.writeHead(502).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: () => `http://127.0.0.1:${portOf(server)}`, close: () => closed(server) };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function asked(url: string, { method, url: path, headers }: IncomingMessage, body: Buffer) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    request(`${url}${path}`, { ...(method === undefined ? {} : { method }), headers }, resolve)
      .on('error', reject)
      .end(body);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
