import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { secret } from '../config/secret.ts';
import type { DriftedItem } from '../drift/resources.ts';
import { createGitHub, type GitHubClient } from '../github/client.ts';
import { ownIssues } from '../github/issues.ts';
import { createLogger } from '../log.ts';
import { alone, type Held } from '../store/alone.ts';
import { openStore } from '../store/store.ts';
import { DRIFT_KEY, publishDrift } from './driftIssues.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let lab: LabGitHub;
let client: GitHubClient;
let repo: RepositoryName;
const logged: string[] = [];
const log = createLogger('warn', { write: (line) => void logged.push(line) });

beforeAll(async () => {
  lab = await startLabGitHub({ webhookSecret: 'a-secret-of-the-lab-16' });
  repo = await lab.createRepository({ files: { 'README.md': 'x\n' } });
  const config = {
    githubApiUrl: lab.url,
    githubAppId: lab.app.id,
    githubPrivateKey: secret(lab.app.privateKey),
    githubWritesPerMinute: 100_000,
  };
  client = await createGitHub(config, log).installationClient(lab.installationId);
});
afterAll(() => lab?.close());

const drifted = (n: number): DriftedItem => ({
  document: `Configuration/web-${String(n).padStart(3, '0')}`,
  host: 'web-1',
  stepId: `file:/etc/${n}`,
  summary: `/etc/${n} +1 -1`,
  diff: '',
  firstSeenAt: Date.parse('2026-11-26T08:00:31Z'),
  traces: [],
});
const documents = (count: number) => Array.from({ length: count }, (_, n) => drifted(n));

const ALONE: Held = async () => undefined;

async function reading(items: readonly DriftedItem[], by: GitHubClient = client, held = ALONE) {
  const repository = { ...repo, installationId: lab.installationId };
  const open = (await ownIssues(client, repo)).filter(({ key }) => key.startsWith(DRIFT_KEY));
  const tip = { branch: 'main', commit: 'a'.repeat(40), at: Date.now() };
  const what = { repository, tip, digest: 'd'.repeat(64), items, decisions: [], open, held };
  const writes = () => lab.requests().filter(({ method }) => method !== 'GET').length;
  const before = writes();
  const numbers = await publishDrift(by, log, what, 0);
  return { open: numbers.size, writes: writes() - before, numbers: [...numbers.values()] };
}

const bodies = async () => (await ownIssues(client, repo)).map(({ body }) => body);
const unopened = async () => (await bodies()).filter((body) => body.includes('Without an issue yet'));

test('fifty drifted documents get their issues over three readings, and the last issue says what is missing', async () => {
  expect(await reading(documents(50))).toMatchObject({ open: 20 });
  expect(await unopened()).toEqual([expect.stringContaining('Without an issue yet: 30 more documents.')]);
  expect(logged.at(-1)).toContain('"left":30');
  expect(await reading(documents(50))).toMatchObject({ open: 40, writes: 21 });
  expect(await unopened()).toEqual([expect.stringContaining('Without an issue yet: 10 more documents.')]);
  expect(await reading(documents(50))).toMatchObject({ open: 50, writes: 11 });
  expect(await unopened()).toEqual([]);
  expect(await reading(documents(50))).toMatchObject({ open: 50, writes: 0 });
});

test('nothing is written where the rest of the limits is for what people wait for', async () => {
  let left = 3;
  const busy: GitHubClient = { ...client, spare: () => left-- > 0 };
  const fewer = documents(60).slice(10);
  expect(await reading(fewer, busy)).toMatchObject({ open: 43, writes: 3 });
  // ten that differ no more: a word and the end of each
  expect(await reading(fewer)).toMatchObject({ open: 50, writes: 7 + 20 });
  expect(await bodies()).toHaveLength(50);
});

test('where a repository takes no issues, that is said once, and all that drifted is told without one', async () => {
  repo = await lab.createRepository({ files: { 'README.md': 'x\n' } });
  const body = { message: 'Issues has been disabled in this repository.' };
  lab.faults.add({ method: 'POST', path: /\/issues$/, times: 1, respond: { status: 410, body } });
  expect(await reading(documents(3))).toEqual({ open: 3, writes: 1, numbers: [0, 0, 0] });
  expect(logged.at(-1)).toMatch(/enable Issues in the settings.*/);
  expect(logged.at(-1)).toContain('Issues has been disabled');
  // once it takes them again
  expect(await reading(documents(3))).toMatchObject({ open: 3, writes: 3 });
  expect(await bodies()).toHaveLength(3);
});

test('an issue is told once why it is closed, though GitHub fails at that and at its end', async () => {
  repo = await lab.createRepository({ files: { 'README.md': 'x\n' } });
  const { numbers } = await reading(documents(1));
  const [number = 0] = numbers;
  const fail = { times: 3, respond: { status: 502 } };
  lab.faults.add({ method: 'POST', path: /\/comments$/, ...fail, times: 1, afterEffect: true });
  await expect(reading([])).rejects.toMatchObject({ type: 'github-unavailable' });
  lab.faults.add({ method: 'PATCH', path: new RegExp(`/issues/${number}$`), ...fail });
  await expect(reading([])).rejects.toMatchObject({ type: 'github-unavailable' });
  expect(await bodies()).toHaveLength(1);
  await reading([]);
  expect(await bodies()).toEqual([]);
  expect(await lab.listComments(repo, number)).toMatchObject([{ body: expect.stringMatching(/again\.$/) }]);
});

test('two readings at once, of two engines, open one issue for each document; one that was overtaken writes no more', async () => {
  repo = await lab.createRepository({ files: { 'README.md': 'x\n' } });
  const dir = await mkdtemp(join(tmpdir(), 'doaas-drift-issues-'));
  const { leases, close } = await openStore({ file: join(dir, 'store.sqlite') });
  try {
    const { signal } = new AbortController();
    const one = () =>
      alone(leases, 'drift', signal, (held) => reading(documents(3), client, held), {
        silentMaxMs: 30_000,
        renewEveryMs: 5_000,
        lookEveryMs: 5,
      });
    expect(await Promise.all([one(), one()])).toMatchObject([{ open: 3 }, { open: 3 }]);
    expect(await bodies()).toHaveLength(3);
    const overtaken = alone(leases, 'drift', signal, async (held) => {
      const mine = await leases.take('drift', 'other');
      await leases.take('drift', 'other', mine);
      return reading(documents(5), client, held);
    });
    await expect(overtaken).rejects.toMatchObject({ type: 'store-conflict' });
    expect(await bodies()).toHaveLength(3);
  } finally {
    await close();
    await rm(dir, { recursive: true });
  }
});
