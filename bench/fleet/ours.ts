import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import type { FleetPlan, FleetRevision } from '../../engine/activities/types.ts';
import { type RunningEngine, startEngine } from '../../engine/compose.ts';
import { loadConfig } from '../../engine/config/config.ts';
import { createLogger } from '../../engine/log.ts';
import type { Plan } from '../../engine/plan/step.ts';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { until } from '../../test/until.ts';
import { serverYaml } from '../../test/world.ts';
import { ourItems } from './items.ts';

/** The engine in this process, with a GitHub, for one lab's key. Close it in any case. */
export interface Ours {
  readonly engine: RunningEngine;
  /** A pull request that brings the items, from `/doaas apply` to the stored result; the merged commit. */
  readonly apply: (
    hosts: readonly LabHost[],
  ) => Promise<{ readonly seconds: number; readonly merged: FleetRevision }>;
  /** A repository whose default branch has the items on these hosts. */
  readonly create: (hosts: readonly LabHost[]) => Promise<FleetRevision>;
  /** The same items on other hosts: a commit on the default branch. */
  readonly extend: (revision: FleetRevision, hosts: readonly LabHost[]) => Promise<FleetRevision>;
  /** From the request to the stored result, without an open connection. */
  readonly plan: (revision: FleetRevision) => Promise<{ readonly seconds: number; readonly plan: Plan }>;
  readonly close: () => Promise<void>;
}

const SECRET = 'a webhook secret for the benchmark';
const READY_SECONDS_MAX = 180;
const APPLY_SECONDS_MAX = 600;

export async function openOurs(keyPath: string): Promise<Ours> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'doaas-bench-'));
    closing.push(() => rm(dir, { recursive: true, force: true }));
    const github = await startLabGitHub({ webhookSecret: SECRET });
    closing.push(() => github.close());
    const config = loadConfig(environment(dir, github, keyPath));
    const engine = await startEngine(config, createLogger(config.logLevel));
    closing.push(() => engine.stop());
    github.setWebhookUrl(`${engine.url}/webhooks/github`);
    return {
      engine,
      apply: (hosts) => apply(engine, github, hosts),
      extend: (revision, hosts) => extend(github, revision, hosts),
      create: async (hosts) => {
        const files = { 'servers.yaml': serverYaml(hosts, 'root'), 'bench.yaml': ourItems() };
        const repo = await github.createRepository({ files });
        const repository = { ...repo, installationId: github.installationId };
        return { repository, commit: await github.branchSha(repo, 'main') };
      },
      plan: (revision) => plan(engine, revision),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function environment(dir: string, github: LabGitHub, keyPath: string): Record<string, string> {
  return {
    DOAAS_DATA_DIR: dir,
    DOAAS_PORT: '0',
    DOAAS_LOG_LEVEL: process.env.DOAAS_TEST_LOG ?? 'warn',
    GITHUB_API_URL: github.url,
    GITHUB_URL: github.url,
    GITHUB_APP_ID: String(github.app.id),
    GITHUB_APP_PRIVATE_KEY: github.app.privateKey,
    GITHUB_WEBHOOK_SECRET: SECRET,
    DOAAS_GITHUB_WRITES_PER_MINUTE: '1000000',
    DOAAS_SSH_KEY_FILE: keyPath,
  };
}

function workerOf({ worker }: RunningEngine) {
  if (worker === undefined) throw new Error('this engine only receives');
  return worker;
}

async function plan(engine: RunningEngine, revision: FleetRevision) {
  await workerOf(engine).transport.empty();
  const started = performance.now();
  const result: FleetPlan = await workerOf(engine).client.workflow.execute('planRevision', {
    workflowId: `bench-plan-${randomUUID()}`,
    taskQueue: TASK_QUEUE,
    args: [revision],
  });
  const seconds = (performance.now() - started) / 1000;
  if (result.problems.length > 0) throw new Error(`the plan failed: ${result.problems.join('; ')}`);
  const stored = await engine.store.plans.get(result.digest);
  if (stored === undefined) throw new Error('the plan was not stored');
  return { seconds, plan: stored };
}

async function extend(
  github: LabGitHub,
  { repository }: FleetRevision,
  hosts: readonly LabHost[],
): Promise<FleetRevision> {
  const commit = await github.push(repository, 'main', { 'servers.yaml': serverYaml(hosts, 'root') });
  return { repository, commit };
}

async function apply(engine: RunningEngine, github: LabGitHub, hosts: readonly LabHost[]) {
  const repo = await github.createRepository({ files: { 'servers.yaml': serverYaml(hosts, 'root') } });
  const sha = await github.branchWithChanges(repo, 'items', { 'bench.yaml': ourItems() });
  const pull = await github.openPullRequest(repo, { branch: 'items' });
  await planShown(github, repo, sha, () => true);
  await github.review(repo, pull, github.accounts.reviewer, 'APPROVE');
  await planShown(github, repo, sha, offersApply);
  await workerOf(engine).transport.empty();
  const started = performance.now();
  await github.comment(repo, pull, github.accounts.author, '/doaas apply');
  await until(
    async () => {
      const [run] = await engine.store.runs.ofPull(`${repo.owner}/${repo.name}`, pull);
      if (run === undefined || run.endedAt === null) return undefined;
      if (run.state !== 'applied')
        throw new Error(`the run ended as ${run.state}: ${JSON.stringify(run.detail)}`);
      return true;
    },
    'the run to end',
    APPLY_SECONDS_MAX,
  );
  const seconds = (performance.now() - started) / 1000;
  const repository = { ...repo, installationId: github.installationId };
  return { seconds, merged: { repository, commit: await github.branchSha(repo, 'main') } };
}

type Check = Readonly<Record<string, unknown>>;

function planShown(github: LabGitHub, repo: RepositoryName, sha: string, wanted: (check: Check) => boolean) {
  const plans = async () =>
    (await github.listChecks(repo, sha)).filter((check) => check.name === 'doaas/plan');
  return until(
    async () => {
      const done = (await plans()).find((check) => check.status === 'completed');
      if (done !== undefined && done.conclusion !== 'success') throw new Error(JSON.stringify(done.output));
      return done !== undefined && wanted(done) ? true : undefined;
    },
    'the plan',
    READY_SECONDS_MAX,
    async () => JSON.stringify(await plans()),
  );
}

/** The button is there once the review counts. */
function offersApply(check: Check): boolean {
  return JSON.stringify(check.output).includes('**Waiting for:** nothing');
}
