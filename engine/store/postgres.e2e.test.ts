import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../test/until.ts';
import { watchInbox } from '../inbox/watch.ts';
import { createReceiverMetrics } from '../metrics.ts';
import { inboxSuite } from './inbox.suite.ts';
import { openInbox } from './inbox.ts';
import { fullQueueSuite } from './locks.suite.ts';
import { openPostgres } from './postgres.ts';
import { storeSuite } from './store.suite.ts';
import { openStore } from './store.ts';
import { type PostgresCluster, START_DEADLINE_MS, startCluster, whatIsMissing } from './testing/postgres.ts';

const run = promisify(execFile);

const missing = whatIsMissing();
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);
if (missing !== undefined) console.warn(`PostgreSQL tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('with a throw-away PostgreSQL', () => {
  let cluster: PostgresCluster | undefined;
  const url = (): string => cluster?.url ?? '';

  beforeAll(async () => {
    cluster = await startCluster();
    // makes the tables
    await (await openStore({ url: cluster.url })).close();
  }, START_DEADLINE_MS);
  afterAll(() => cluster?.stop());

  storeSuite('PostgreSQL', () => openStore({ url: url() }), 2);
  fullQueueSuite(() => openStore({ url: url() }, { lockQueueMax: 2 }));

  it('lets several engines start and lock at the same time', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => openStore({ url: url() })));
    const answers = await Promise.all(
      stores.map((s, i) =>
        s.locks.acquire({ runId: `n${i}`, workflowId: 'w', hosts: ['shared'], pull: 'o/r#1' }),
      ),
    );
    expect(answers.filter((a) => a.kind === 'granted')).toHaveLength(1);
    await Promise.all(stores.map((s) => s.close()));
  });

  it('keeps one chain of what several processes append at once', async () => {
    const fixture = join(import.meta.dirname, 'append.fixture.ts');
    const names = ['one', 'two', 'three'];
    const append = (who: string) => run(process.execPath, ['--import', 'tsx', fixture, url(), who, '200']);
    await Promise.all(names.map(append));
    const store = await openStore({ url: url() });
    expect((await store.audit.verify()).brokenAt).toBeUndefined();
    const entries = await store.audit.list({ repository: 'acme/together' });
    for (const who of names) {
      const own = entries.filter((entry) => entry.who === who).map(({ what }) => what);
      expect(own).toEqual(Array.from({ length: 200 }, (_, n) => `${n}`));
    }
    // they did take turns: else the test has shown nothing
    const turns = entries.filter(({ who }, i) => i > 0 && entries[i - 1]?.who !== who).length;
    expect(turns).toBeGreaterThan(names.length - 1);
    await store.close();
  }, 60_000);

  inboxSuite('PostgreSQL', () => ({ url: url() }));

  it('never gives one delivery to two relays, and keeps the order of each lane', async () => {
    const relays = await Promise.all([1, 2, 3].map(() => openInbox({ url: url() })));
    const [receiver] = relays;
    const sent = Array.from({ length: 90 }, (_, n) => ({ guid: `g-${n}`, lane: `l${n % 6}`, event: '{}' }));
    for (const arrival of sent) await receiver?.accept(arrival);
    const taken: string[] = [];
    await Promise.all(
      relays.map(async (relay) => {
        while ((await relay.state()).waiting > 0) {
          const claimed = await relay.claim(4);
          taken.push(...claimed.map(({ guid }) => guid));
          await relay.handedOn(claimed.map(({ guid }) => guid));
        }
      }),
    );
    for (let lane = 0; lane < 6; lane++) {
      const inOrder = sent.filter((each) => each.lane === `l${lane}`).map(({ guid }) => guid);
      expect(taken.filter((guid) => inOrder.includes(guid))).toEqual(inOrder);
    }
    expect(taken).toHaveLength(sent.length);
    await Promise.all(relays.map((relay) => relay.close()));
  });

  it('takes a delivery whose first connection was swallowed on its way', async () => {
    const dir = new URL(url()).searchParams.get('host') ?? '';
    let swallowed = 0;
    const way = createServer((incoming) => {
      if (swallowed === 0) {
        swallowed += 1;
        incoming.resume().on('error', () => undefined);
        return;
      }
      const server = connect(join(dir, '.s.PGSQL.5432'));
      pipeline(incoming, server, incoming, () => undefined);
    }).listen(0, '127.0.0.1');
    await once(way, 'listening');
    const { port } = way.address() as AddressInfo;
    const inbox = await openInbox({ url: `postgresql://postgres@127.0.0.1:${port}/postgres` });
    const idle = { ...inbox, state: async () => ({ waiting: 0, oldestAt: undefined }) };
    const watched = watchInbox(idle, createReceiverMetrics());
    try {
      expect(await watched.accept({ guid: 'swallowed', lane: 'a', event: '{}' })).toBe('new');
      expect(swallowed).toBe(1);
      await inbox.handedOn(['swallowed']);
    } finally {
      watched.stop();
      await inbox.close();
      way.close();
    }
  }, 20_000);

  it(
    'loses its server between two statements of a transaction, and goes on with the next server',
    async () => {
      const own = await startCluster();
      const lost: Error[] = [];
      const { db, close } = openPostgres(own.url, { onLost: (error) => lost.push(error), connections: 1 });
      try {
        const broken = db.transaction().execute(async (transaction) => {
          await sql`select 1`.execute(transaction);
          await own.crash();
          await until(async () => (lost.length > 0 ? true : undefined), 'the loss to be heard of');
          await sql`select 1`.execute(transaction);
        });
        expect(await broken.catch((error: unknown) => error)).toMatchObject({ type: 'store-unavailable' });
        await own.start();
        expect((await sql<{ n: number }>`select 1 as n`.execute(db)).rows).toEqual([{ n: 1 }]);
      } finally {
        await close();
        await own.stop();
      }
    },
    START_DEADLINE_MS,
  );

  it('gives up a server that vanished in the middle of a statement, and goes on when it is back', async () => {
    const dir = new URL(url()).searchParams.get('host') ?? '';
    let isThere = true;
    const way = createServer((incoming) => {
      const server = connect(join(dir, '.s.PGSQL.5432'));
      incoming.on('data', (bytes) => isThere && server.write(bytes)).on('close', () => server.destroy());
      server.on('data', (bytes) => isThere && incoming.write(bytes));
      for (const end of [incoming, server]) end.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(way, 'listening');
    const { port } = way.address() as AddressInfo;
    const { db, close } = openPostgres(`postgresql://postgres@127.0.0.1:${port}/postgres`, {
      connections: 1,
      silenceMaxMs: 3_000,
    });
    try {
      const lost = db.transaction().execute(async (transaction) => {
        await sql`select 1`.execute(transaction);
        isThere = false;
        await sql`select 1`.execute(transaction);
      });
      expect(await lost.catch((error: unknown) => error)).toMatchObject({
        type: 'store-unavailable',
        message: expect.stringContaining('the server has said nothing for 3000 ms'),
      });
      isThere = true;
      expect((await sql<{ n: number }>`select 1 as n`.execute(db)).rows).toEqual([{ n: 1 }]);
    } finally {
      await close();
      way.close();
    }
  });

  it('says that a server is not there', async () => {
    const nowhere = openStore({ url: 'postgresql://u:secretword@127.0.0.1:1/x' });
    const error = await nowhere.catch((e: unknown) => e);
    expect(error).toMatchObject({ type: 'store-unavailable', retryable: true });
    expect(String(error)).not.toContain('secretword');
  });
});
