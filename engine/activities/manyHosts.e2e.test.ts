import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { GITHUB_LIMITS } from '../../lab/github/rate-limits.ts';
import { LIMITS, loadOf } from '../../test/githubLoad.ts';
import { secret } from '../config/secret.ts';
import { settings } from '../config/settings.ts';
import { createGitHub } from '../github/client.ts';
import { GitHubError } from '../github/errors.ts';
import { hostPlan, NAME, step } from '../github/render/testing.ts';
import { createLogger } from '../log.ts';
import { openStore, type Store } from '../store/store.ts';
import type { Engine } from './engine.ts';
import { progressOf, showRun } from './showRun.ts';
import type { RunPhase, RunRef } from './types.ts';

const HOSTS = 100;
const STEPS_OF_HOST = 36;
const SECONDS = HOSTS * STEPS_OF_HOST;
const FAKED = ['setTimeout', 'clearTimeout', 'Date', 'performance'] as const;
/** Written together; every one of them is news. */
const NEWS_SECONDS = 10;
/** How often nothing must have happened before the time goes on. */
const QUIET_TURNS = 12;

/**
 * Runs over a hundred servers that take an hour, every second of which a step is done. Only servers and time are made up: what is shown,
 * when, and how it is sent is the engine's own, with the settings that users get; the lab's GitHub answers 403 above GitHub's limits.
 */
describe('a hundred servers for an hour', { timeout: 300_000 }, () => {
  let dir: string;
  let lab: LabGitHub;
  let store: Store;
  let repo: RepositoryName;
  let engine: Engine;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'doaas-many-hosts-'));
    lab = await startLabGitHub({ webhookSecret: 'a secret of this test' });
    repo = await lab.createRepository({ files: { 'web.yaml': 'a: 1\n' } });
    vi.useFakeTimers({ toFake: [...FAKED], now: Date.now() });
    store = await openStore({ file: join(dir, 'store.sqlite') });
    const config = {
      githubApiUrl: lab.url,
      githubAppId: lab.app.id,
      githubPrivateKey: secret(lab.app.privateKey),
      githubWritesPerMinute: Number(settings.githubWritesPerMinute.fallback),
    };
    const log = createLogger('silent');
    // what showing a run needs of the engine
    engine = {
      store,
      github: createGitHub(config, log),
      log,
      planUrl: () => undefined,
    } as unknown as Engine;
    lab.enforceLimits(GITHUB_LIMITS);
  }, 60_000);
  afterEach(async () => {
    vi.useRealTimers();
    await store?.close();
    await lab?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const requests = () => lab.requests().length;
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** Whatever can be done without more time is done. */
  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      const before = requests();
      vi.advanceTimersByTime(0);
      await turn();
      const busy = lab.requests().at(-1)?.status === undefined && before > 0;
      if (requests() !== before || busy) quiet = 0;
    }
  }

  async function passSeconds(seconds: number): Promise<void> {
    for (let n = 0; n < seconds; n++) {
      vi.advanceTimersByTime(1_000);
      await settle();
    }
  }

  async function begin(name: string): Promise<RunRef> {
    const headSha = await lab.branchWithChanges(repo, name, { 'web.yaml': `a: ${name}\n` });
    const number = await lab.openPullRequest(repo, { branch: name });
    const steps = Array.from({ length: STEPS_OF_HOST }, (_, n) => step({ id: `step-${n}`, diff: '' }));
    const hosts = Array.from({ length: HOSTS }, (_, n) => hostPlan(`web-${n}`, steps));
    const digest = name.padEnd(64, '0');
    const repository = `${repo.owner}/${repo.name}`;
    const revision = { headSha, baseSha: NAME.baseSha };
    await store.plans.save({ kind: 'plan', hosts, digest }, { repository, number, ...revision });
    const run = {
      id: name,
      repository,
      pullNumber: number,
      kind: 'apply',
      planDigest: digest,
      ...revision,
    } as const;
    await store.runs.create({ ...run, actor: 'ann' });
    return {
      run: name,
      pull: { repository: { ...repo, installationId: lab.installationId }, number },
      plan: { ...revision, digest, hosts: [], waves: [0], shownAt: new Date().toISOString() },
      actor: 'ann',
    };
  }

  /** As Temporal does: again after the time that the error names. */
  async function show(run: RunRef, phase: RunPhase): Promise<void> {
    for (;;) {
      let shown: unknown = 'waits';
      void showRun(engine, run, phase).then(
        () => {
          shown = undefined;
        },
        (error: unknown) => {
          shown = error;
        },
      );
      while (shown === 'waits') await passSeconds(1);
      if (shown === undefined) return;
      if (!(shown instanceof GitHubError) || shown.type !== 'github-rate-limited') throw shown;
      await passSeconds(shown.retryAfterSeconds ?? 1);
    }
  }

  async function work(runs: readonly RunRef[]): Promise<void> {
    const news = runs.map((run) => progressOf(engine, run));
    for (let second = 0; second < SECONDS; second += NEWS_SECONDS) {
      const done = Array.from({ length: NEWS_SECONDS }, (_, n) => second + n);
      await store.receipts.save(runs.flatMap(({ run }) => done.map((n) => receiptOf(run, n))));
      for (const tell of news) tell();
      await passSeconds(NEWS_SECONDS);
    }
  }

  test.each([1, 4])(
    '%i at the same time stay below what GitHub allows, are shown, and end true',
    async (count) => {
      const runs: RunRef[] = [];
      for (let n = 0; n < count; n++) runs.push(await begin(`run-${count}-${n}`));
      for (const run of runs) await show(run, { kind: 'comparing' });
      for (const run of runs) await show(run, { kind: 'applying' });
      await work(runs);
      const updates = lab
        .requests()
        .filter(({ method, path }) => method === 'PATCH' && /check-runs/.test(path));
      expect(updates.length).toBeGreaterThan(60);
      for (const run of runs) {
        await show(run, { kind: 'verifying' });
        await show(run, { kind: 'applied', mergeSha: 'e'.repeat(40), differs: false });
        const checks = await lab.listChecks(repo, run.plan.headSha);
        const titles = checks.map((check) => JSON.stringify([check.name, check.conclusion]));
        expect(titles).toContain('["doaas/apply","success"]');
      }
      const load = loadOf(lab.requests());
      expect(load.writesAMinute).toBeLessThanOrEqual(LIMITS.writesAMinute);
      expect(load.writesAnHour).toBeLessThanOrEqual(LIMITS.writesAnHour);
      expect(load.requestsAnHour).toBeLessThanOrEqual(LIMITS.requestsAnHour);
      expect(lab.requests().filter(({ status }) => status === 403)).toEqual([]);
    },
  );
});

/** The step that is done in the `n`th second: one on each host after the other. */
function receiptOf(runId: string, n: number) {
  const host = `web-${n % HOSTS}`;
  const hashes = { beforeHash: null, afterHash: null };
  const stepId = `step-${Math.floor(n / HOSTS)}`;
  return { runId, host, hostIdentity: host, stepId, state: 'done', detail: null, ...hashes } as const;
}
