/**
 * Records what no test on real servers shows of `planRevision`: more servers than one activity plans, here and at a site of its own.
 * None of them exists: a server that does not answer is a result, and the workflow goes the same way. Part of scripts/record-all.sh.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOSTS_PER_ACTIVITY } from '../engine/activities/hostsPerActivity.ts';
import { TASK_QUEUE } from '../engine/activities/signalPull.ts';
import type { FleetRevision } from '../engine/activities/types.ts';
import { startCluster } from '../engine/store/testing/postgres.ts';
import { startTemporal } from '../engine/temporal/server.ts';
import { startLabGitHub } from '../lab/github/lab-github.ts';
import { recordHistories } from '../scripts/record-histories.ts';
import { startTestEngine } from './engine.ts';
import { hostKeyOf } from './hostKey.ts';
import { SECRET } from './secret.ts';
import { startWorkerProcess } from './worker.ts';

/** One more than fits, so that a second activity has one server to plan. */
const MANY = HOSTS_PER_ACTIVITY + 1;
/** Of loopback, where nothing listens: the connection is refused at once. */
const NETWORKS = { default: '127.0.101', berlin: '127.0.102' } as const;
type Site = keyof typeof NETWORKS;

function servers(site: Site): string {
  return Array.from({ length: MANY }, (_, i) => {
    const name = `${site}-${i + 1}`;
    const spec = `{address: ${NETWORKS[site]}.${i + 1}, site: ${site}, user: deploy, hostKey: "${hostKeyOf(name)}"}`;
    return `apiVersion: doaas/v1\nkind: Server\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
  }).join('---\n');
}

const closing: (() => Promise<unknown>)[] = [];
try {
  const dataDir = await mkdtemp(join(tmpdir(), 'doaas-record-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const github = await startLabGitHub({ webhookSecret: SECRET });
  closing.push(() => github.close());
  const postgres = await startCluster();
  closing.push(() => postgres.stop());
  const temporal = await startTemporal();
  closing.push(() => temporal.stop());
  const shared = { DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address, DOAAS_SITES: 'default' };
  const sshKeyFile = join(dataDir, 'key');
  await writeFile(sshKeyFile, github.app.privateKey, { mode: 0o600 });
  const parts = { github, sshKeyFile };
  const engine = await startTestEngine({
    ...parts,
    mode: 'inside',
    dataDir,
    secret: SECRET,
    environment: shared,
  });
  closing.push(() => engine.stop());
  const worker = await startWorkerProcess({
    ...parts,
    environment: { ...shared, DOAAS_ROLE: 'site', DOAAS_SITES: 'berlin' },
  });
  closing.push(worker.stop);
  const plan = async (sites: readonly Site[]): Promise<void> => {
    const files = Object.fromEntries(sites.map((site) => [`${site}.yaml`, servers(site)]));
    const repo = await github.createRepository({ files });
    const repository = { ...repo, installationId: github.installationId };
    const revision: FleetRevision = { repository, commit: await github.branchSha(repo, 'main') };
    const workflowId = `plan-${randomUUID()}`;
    await engine
      .temporal()
      .workflow.execute('planRevision', { workflowId, taskQueue: TASK_QUEUE, args: [revision] });
  };
  await plan(['default']);
  await plan(['default', 'berlin']);
  for (const file of await recordHistories(engine.temporal())) console.log(file);
} finally {
  for (const close of closing.splice(0).reverse()) await close();
}
