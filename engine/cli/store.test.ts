import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hostPlan, plan, step } from '../github/render/testing.ts';
import { openStore, type Store } from '../store/store.ts';
import { doaas } from './testing.ts';

const WEB = '10.0.0.5:22 SHA256:aaa';
const DB = '10.0.0.6:22 SHA256:bbb';

let dir = '';
let engine: Store;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-cli-'));
  vi.stubEnv('DOAAS_DATA_DIR', dir);
  vi.stubEnv('DATABASE_URL', '');
  engine = await openStore({ file: join(dir, 'store.sqlite') });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await engine.close();
  await rm(dir, { recursive: true });
});

async function runHolding(id: string, hosts: readonly string[]): Promise<void> {
  const run = { repository: 'acme/infra', pullNumber: 7, planDigest: null, headSha: null, baseSha: null };
  await engine.runs.create({ id, ...run, kind: 'apply', actor: 'ann' });
  await engine.runs.update(id, { state: 'running' });
  await engine.locks.acquire({ runId: id, workflowId: `deployment:${id}`, hosts, pull: 'acme/infra#7' });
}

test('without a store the sentence says where it was looked for', async () => {
  const nowhere = join(dir, 'nowhere');
  vi.stubEnv('DOAAS_DATA_DIR', nowhere);
  const { status, stderr } = await doaas(['status']);
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^doaas: There is no store at ${nowhere}/store.sqlite. Run this where`));
});

describe('status, while the engine runs', () => {
  test('of an engine that has done nothing', async () => {
    expect(await doaas(['status'])).toEqual({
      status: 0,
      stderr: '',
      stdout:
        'Running\n  no run\n\nEnded\n  none yet\n\nLocked servers\n  none\n\nWaiting for servers\n  nobody\n',
    });
  });

  test('shows runs, locks, the queue and what needs recovery', async () => {
    await runHolding('pr7-a', [WEB, DB]);
    await runHolding('pr7-b', [DB]);
    await engine.hosts.markNeedsRecovery(WEB, 'ann released it\u001b[2J');
    const { stdout } = await doaas(['status']);
    expect(stdout).toMatch(/^ {2}pr7-a {2}apply {2}running {2}acme\/infra#7 {2}since \S+Z {2}by ann$/m);
    expect(stdout).toMatch(/^ {2}10\.0\.0\.5:22 {2}acme\/infra#7 {2}pr7-a {2}since /m);
    expect(stdout).toMatch(/^ {2}1 {2}acme\/infra#7 {2}pr7-b {2}10\.0\.0\.6:22 {2}behind acme\/infra#7$/m);
    expect(stdout).toContain('10.0.0.5:22  ann released it\u{fffd}[2J');
    const data = JSON.parse((await doaas(['status', '--json'])).stdout);
    expect(data).toMatchObject({ locks: [{ host: WEB }, { host: DB }], queue: [{ runId: 'pr7-b' }] });
  });

  test('says whose end GitHub has not taken', async () => {
    await runHolding('pr7-a', [WEB]);
    await engine.runs.update('pr7-a', { state: 'rolled-back', detail: { unshown: { kind: 'rolled-back' } } });
    const { stdout } = await doaas(['status']);
    expect(stdout).toMatch(/^ {2}pr7-a {2}apply {2}rolled-back {2}.* by ann {2}not shown on GitHub yet$/m);
  });
});

describe('audit, while the engine runs', () => {
  const headSha = 'a'.repeat(40);
  beforeEach(async () => {
    const applied = { what: 'apply', repository: 'acme/infra', headSha, digest: 'd'.repeat(64) };
    await engine.audit.append({ ...applied, who: 'ann\u001b[2J', pull: 7, detail: { hosts: ['web-1'] } });
    await engine.audit.append({ ...applied, who: 'bob', pull: 8 });
  });

  test('says who did what, to which commit and plan', async () => {
    const { status, stdout } = await doaas(['audit', '--pull', '7', '--since', '1h']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^\d{4}-\S+Z {2}ann\u{fffd}\[2J {2}apply {2}acme\/infra#7 {2}head aaaaaaaa plan dddddddd {2}\{"hosts":\["web-1"\]\}\n$/u,
    );
    const lines = (await doaas(['audit', '--json'])).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ seq: 1 }, { who: 'bob', pull: 8 }]);
  });

  const of = (repository: string) => doaas(['audit', '--json', '--pull', '7', '--repository', repository]);

  test('finds a repository under its present name and its first one, in whatever case', async () => {
    const seen = { id: '3', defaultBranch: 'main', installationId: '1' };
    expect((await of('ACME/infra')).stdout).toMatch(/"repository":"acme\/infra"/);
    await engine.repositories.save({ ...seen, owner: 'acme', name: 'infra' });
    await engine.repositories.save({ ...seen, owner: 'Umbrella', name: 'Servers' });
    const { stdout } = await of('acme/infra');
    expect(stdout.trim().split('\n')).toHaveLength(1);
    for (const name of ['Umbrella/Servers', 'umbrella/SERVERS', 'Acme/Infra'])
      expect((await of(name)).stdout).toBe(stdout);
    // a name that was given up and taken by another one means that one
    await engine.repositories.save({ ...seen, id: '4', owner: 'acme', name: 'infra' });
    const other = { what: 'apply', repository: 'acme/infra@4', pull: 7 };
    await engine.audit.append({ ...other, who: 'carol' });
    for (const name of ['acme/infra', 'acme/infra@4'])
      expect((await of(name)).stdout).toMatch(/"who":"carol".*\n$/);
    expect((await of('umbrella/servers')).stdout).toBe(stdout);
    // and of a deleted one whose name was taken the living one is meant
    await engine.repositories.save({ ...seen, id: '3', owner: 'acme', name: 'infra', installationId: null });
    expect((await of('acme/infra')).stdout).toMatch(/^.*"who":"carol".*\n$/);
  });

  test('a repository that nobody knows is an error, one without entries is not', async () => {
    expect(await doaas(['audit', '--repository', 'acme/other\u001b[2J'])).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'doaas: No repository acme/other\u{fffd}[2J is known here, under its present or its first name. --repository takes OWNER/NAME, as GitHub calls it.\n',
    });
    const seen = { id: '3', defaultBranch: 'main', installationId: '1' };
    await engine.repositories.save({ ...seen, owner: 'acme', name: 'other' });
    const none = { status: 0, stdout: 'No entry.\n' };
    expect(await doaas(['audit', '--repository', 'acme/other'])).toMatchObject(none);
    expect(await doaas(['audit', '--repository', 'acme/infra', '--pull', '9'])).toMatchObject(none);
  });

  test('proves that nothing was rewritten, and that a hash which was kept is still there', async () => {
    const { status, stdout } = await doaas(['audit', '--verify', '--json']);
    const verdict = JSON.parse(stdout);
    expect({ status, verdict }).toMatchObject({ status: 0, verdict: { intact: true, entries: 2 } });
    await engine.audit.append({ who: 'carol', what: 'plan' });
    const later = await doaas(['audit', '--verify', '--expect', verdict.head]);
    expect(later).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^3 entries, none rewritten\. Last hash, .*: [0-9a-f]{64}\n$/),
    });
    expect(await doaas(['audit', '--verify', '--expect', 'f'.repeat(64)])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('The log was cut'),
    });
  });

  test('wrong use is named', async () => {
    expect(await doaas(['audit', '--since', 'yesterday'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('"yesterday" is no time: write 30m, 24h or 7d'),
    });
    expect(await doaas(['audit', '--expect', 'f'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--expect goes with --verify'),
    });
  });
});

describe('plan show', () => {
  test('a plan by the beginning of its digest, with all its lines', async () => {
    const lines = Array.from({ length: 900 }, (_, i) => `+line ${i}`).join('\n');
    const stored = plan(
      hostPlan('web-1', [step({ diff: lines, reversible: 'no', summary: 'big\u001b[2J' })]),
    );
    await engine.plans.save(stored, { repository: 'acme/infra', number: 7, headSha: 'h', baseSha: 'b' });
    const { status, stdout } = await doaas(['plan', 'show', stored.digest.slice(0, 6)]);
    expect(status).toBe(0);
    expect(stdout).toContain('acme/infra#7');
    expect(stdout).toContain('    1. big\u{fffd}[2J  (cannot be undone)\n');
    expect(stdout).toContain('       +line 899\n');
    expect((await doaas(['plan', 'show', stored.digest], true)).stdout).toContain(
      '\u001b[32m+line 899\u001b[0m',
    );
    const data = JSON.parse((await doaas(['plan', 'show', stored.digest, '--json'])).stdout);
    expect(data).toMatchObject({ ...stored, uses: [{ repository: 'acme/infra', number: 7 }] });
  });

  test('none and several are told apart', async () => {
    expect(await doaas(['plan', 'show', 'abcd'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('No plan that begins with abcd is stored.'),
    });
    const use = { repository: 'acme/infra', number: 7, headSha: 'h', baseSha: 'b' };
    for (const end of ['1', '2'])
      await engine.plans.save({ ...plan(), digest: `abcd${end.repeat(60)}` }, use);
    expect(await doaas(['plan', 'show', 'abcd'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Several plans begin with abcd'),
    });
  });
});

describe('unlock', () => {
  test('is refused while the engine owns the store, with the way to ask it', async () => {
    await runHolding('pr7-a', [WEB]);
    const { status, stderr } = await doaas(['unlock', '10.0.0.5']);
    expect(status).toBe(1);
    expect(stderr).toContain('comment `/doaas unlock` on the pull request');
    expect(await engine.locks.list()).toHaveLength(1);
  });

  describe('with the engine stopped', () => {
    const stopped = async <T>(work: () => Promise<T>): Promise<T> => {
      await engine.close();
      const result = await work();
      engine = await openStore({ file: join(dir, 'store.sqlite') });
      return result;
    };

    test('frees what a held run holds, and audits it', async () => {
      await runHolding('pr7-a', [WEB, DB]);
      await engine.runs.update('pr7-a', { state: 'held' });
      const { status, stdout } = await stopped(() => doaas(['unlock', '10.0.0.5']));
      expect({ status, stdout }).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('10.0.0.5:22 is free'),
      });
      expect(await engine.locks.list()).toMatchObject([{ host: DB }]);
      expect(await engine.audit.list()).toMatchObject([
        { what: 'force-release', who: expect.stringMatching(/^\S+ \(doaas unlock\)$/) },
      ]);
      expect(stdout).toContain('stays as it is; the next plan shows what is still to do');
      expect(await engine.runs.get('pr7-a')).toMatchObject({ state: 'held' });
      expect((await stopped(() => doaas(['unlock', DB]))).status).toBe(0);
      expect(await engine.runs.get('pr7-a')).toMatchObject({ state: 'failed' });
      expect(await engine.hosts.needRecovery()).toEqual([]);
    });

    test('leaves a run that would go on its lock, unless forced', async () => {
      await runHolding('pr7-a', [WEB]);
      const { status, stderr } = await stopped(() => doaas(['unlock', WEB]));
      expect(status).toBe(1);
      expect(stderr).toContain('Run pr7-a of acme/infra#7 has not ended');
      expect(await engine.locks.list()).toHaveLength(1);
      const forced = await stopped(() => doaas(['unlock', '10.0.0.5:22', '--force']));
      expect(forced).toMatchObject({ status: 0, stdout: expect.stringContaining('which first undoes it') });
      expect(await engine.hosts.needRecovery()).toMatchObject([{ identity: WEB }]);
      expect(await engine.locks.list()).toEqual([]);
    });

    test('leaves a machine that no run will meet again as it is, by force, and ends what was left of the run', async () => {
      await runHolding('pr7-a', [WEB]);
      const begun = { host: 'web', hostIdentity: WEB, stepId: 'a', beforeHash: null, afterHash: null };
      await engine.receipts.save([{ runId: 'pr7-a', ...begun, state: 'done', detail: {} }]);
      const [lock] = await engine.locks.list();
      if (lock !== undefined) await engine.locks.forceRelease(lock, 'doaas');
      const living = await stopped(() => doaas(['unlock', '10.0.0.5', '--force']));
      expect(living).toMatchObject({ status: 1, stderr: expect.stringContaining('Run pr7-a is running') });
      await engine.runs.update('pr7-a', { state: 'needs-recovery' });
      const { status, stderr } = await stopped(() => doaas(['unlock', '10.0.0.5']));
      expect(status).toBe(1);
      expect(stderr).toContain('is not locked and needs recovery (doaas released the lock of run pr7-a');
      expect(stderr).toContain('repeat this with --force');
      expect(await engine.hosts.needRecovery()).toHaveLength(1);
      const left = await stopped(() => doaas(['unlock', '10.0.0.5', '--force']));
      expect(left).toMatchObject({ status: 0, stdout: expect.stringContaining('left by pr7-a there stays') });
      expect(await engine.hosts.needRecovery()).toEqual([]);
      expect(await engine.receipts.open(WEB)).toEqual([]);
      expect(await engine.runs.get('pr7-a')).toMatchObject({ state: 'failed', endedAt: expect.any(Number) });
      expect(await engine.audit.list({ repository: 'acme/infra', pull: 7 })).toMatchObject([
        { what: 'force-release', who: 'doaas', detail: { runId: 'pr7-a' } },
        { what: 'leave', who: expect.stringMatching(/doaas unlock/), detail: { run: 'pr7-a', host: WEB } },
      ]);
    });

    test('names the nearest of the locked servers', async () => {
      await runHolding('pr7-a', [WEB]);
      const { status, stderr } = await stopped(() => doaas(['unlock', '10.0.0.4:22']));
      expect(status).toBe(1);
      expect(stderr).toContain('No lock is held on "10.0.0.4:22"; did you mean "10.0.0.5:22"?');
    });
  });
});

describe('doaas policy explain', () => {
  const judged = {
    ready: false,
    missing: ['one approving review by a member of dba other than anna\u001b[2J'],
    rules: [{ name: 'databases', because: 'db/a.yaml' }],
    asks: [{ rule: 'databases', kind: 'approval', asks: 'one approving review', missing: 'it' }],
  };

  test('says the rules, what each asks for and what is missing, beside a running engine', async () => {
    const of = { repository: 'acme/infra', number: 7, headSha: 'a'.repeat(40), digest: 'b'.repeat(64) };
    await engine.verdicts.save({ ...of, verdict: judged });
    const { status, stdout } = await doaas(['policy', 'explain', '#7', '--repository', 'ACME/infra']);
    expect(status).toBe(0);
    expect(stdout).toContain('acme/infra#7, head aaaaaaaa, plan bbbbbbbb, judged ');
    expect(stdout).toContain('databases  db/a.yaml');
    expect(stdout).toMatch(/missing {2}databases {2}one approving review\n/);
    expect(stdout).toContain('a member of dba other than anna\u{fffd}[2J');
    const json = await doaas(['policy', 'explain', '7', '--repository', 'acme/infra', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ number: 7, ready: false, missing: judged.missing });
  });

  test('says that nothing was judged, and what it takes', async () => {
    const none = await doaas(['policy', 'explain', '8', '--repository', 'acme/infra']);
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining('No plan of acme/infra#8') });
    for (const argv of [
      ['policy'],
      ['policy', 'explain', 'x'],
      ['policy', 'explain', '1', '--repository', 'x'],
    ])
      expect((await doaas(argv)).status).toBe(2);
  });
});
