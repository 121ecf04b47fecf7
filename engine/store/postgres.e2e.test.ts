import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeSuite } from './store.suite.ts';
import { openStore } from './store.ts';
import { type PostgresCluster, START_DEADLINE_MS, startCluster, whatIsMissing } from './testing/postgres.ts';

const missing = whatIsMissing();
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);
if (missing !== undefined) console.warn(`PostgreSQL tests are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('with a throw-away PostgreSQL', () => {
  let cluster: PostgresCluster | undefined;
  const url = (): string => cluster?.url ?? '';

  beforeAll(async () => {
    cluster = await startCluster();
  }, START_DEADLINE_MS);
  afterAll(() => cluster?.stop());

  storeSuite('PostgreSQL', () => openStore({ url: url() }));

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

  it('says that a server is not there', async () => {
    const nowhere = openStore({ url: 'postgresql://u:secretword@127.0.0.1:1/x' });
    const error = await nowhere.catch((e: unknown) => e);
    expect(error).toMatchObject({ type: 'store-unavailable', retryable: true });
    expect(String(error)).not.toContain('secretword');
  });
});
