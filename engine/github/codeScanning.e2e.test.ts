import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SARIF_LIMITS } from '../../lab/github/code-scanning.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { secret } from '../config/secret.ts';
import { createLogger } from '../log.ts';
import type { SecurityFinding } from '../security/findings.ts';
import { RESULTS_MAX, sarifOf } from '../security/sarif.ts';
import { HERE } from '../security/testing/hosts.ts';
import { createGitHub, type GitHubClient, type Repo } from './client.ts';
import { hasAlerts, packedSarif, SARIF_MAX_BYTES, type SarifUpload, uploadSarif } from './codeScanning.ts';
import { branchTip } from './pulls.ts';

describe('code scanning', { timeout: 60_000 }, () => {
  let lab: LabGitHub;
  let client: GitHubClient;
  let repo: Repo;
  let commit = '';
  beforeAll(async () => {
    lab = await startLabGitHub({ webhookSecret: 'a-secret-of-the-lab-16' });
    const config = {
      githubApiUrl: `${lab.url}/api/v3`,
      githubAppId: lab.app.id,
      githubPrivateKey: secret(lab.app.privateKey),
      githubWritesPerMinute: 75,
    };
    const github = createGitHub(config, createLogger('silent'));
    client = await github.installationClient(lab.installationId);
    repo = await lab.createRepository({ files: { 'sec.yaml': 'a: 1\n' } });
    commit = await branchTip(client, repo, 'main');
  });
  afterAll(() => lab?.close());

  const finding = (message: string, host = message): SecurityFinding => ({
    rule: { id: 'hardening/x', title: 'X', why: 'Y.', help: 'Z.', severity: 'high' },
    host: 'web-1',
    message,
    document: 'Hardening/base',
    pointer: '',
    fingerprint: Buffer.from(host).toString('hex').padEnd(64, '0'),
  });
  const logOf = (findings: readonly SecurityFinding[]) => (max: number) =>
    sarifOf(findings, { version: '1.0.0', locate: HERE, max });
  /** Looks twice at what becomes of it. */
  const upload = (part: Partial<SarifUpload>) =>
    uploadSarif(
      client,
      repo,
      {
        sarif: packedSarif(logOf([finding('one')]), RESULTS_MAX).bytes,
        commit,
        ref: 'refs/heads/main',
        startedAt: '2026-11-27T00:00:00Z',
        ...part,
      },
      [0],
    );

  test('has no alerts before anything was uploaded, and those of the newest upload of a branch after', async () => {
    const main = () => hasAlerts(client, repo, 'refs/heads/main');
    expect(await main()).toBe(false);
    await upload({});
    expect(await main()).toBe(true);
    expect(await hasAlerts(client, repo, 'refs/heads/other')).toBe(false);
    await upload({ sarif: packedSarif(logOf([]), RESULTS_MAX).bytes });
    expect(await main()).toBe(false);
    await upload({});
    lab.setCodeScanning(repo, false);
    await expect(main()).rejects.toMatchObject({ status: 403 });
    lab.setCodeScanning(repo, true);
  });

  test('is looked at until it has processed a file, a bounded number of times', async () => {
    lab.delayCodeScanning(repo, 1);
    expect(await upload({})).toMatchObject({ kind: 'uploaded', processed: true });
    lab.delayCodeScanning(repo, 2);
    expect(await upload({})).toMatchObject({ kind: 'uploaded', processed: false });
    lab.faults.add({
      method: 'GET',
      path: /code-scanning\/sarifs/,
      respond: { status: 404, body: {} },
      times: 2,
    });
    expect(await upload({})).toMatchObject({ kind: 'uploaded', processed: false });
    lab.faults.clear();
  });

  test('takes what the engine makes, and shows it', async () => {
    expect(await upload({})).toMatchObject({ kind: 'uploaded', processed: true });
    const first = lab.analyses(repo).at(-1);
    expect(first).toMatchObject({ commit, ref: 'refs/heads/main', errors: [] });
    const { owner, name } = repo;
    const { data } = await client.octokit.codeScanning.getSarif({
      owner,
      repo: name,
      sarif_id: first?.id ?? '',
    });
    expect(data.processing_status).toBe('complete');
    expect(lab.violations()).toEqual([]);
  });

  test('without the permission, or switched off, is an outcome that says what to do', async () => {
    await lab.setAppPermissions({ security_events: 'none' });
    expect(await upload({})).toMatchObject({
      kind: 'not-uploaded',
      lasting: true,
      reason: expect.stringMatching(/403 .*"Code scanning alerts: Read and write" \(security_events\)/),
    });
    await lab.setAppPermissions({ security_events: 'write' });
    lab.setCodeScanning(repo, false);
    expect(await upload({})).toMatchObject({
      lasting: true,
      reason: expect.stringContaining('Advanced Security must be enabled'),
    });
    lab.setCodeScanning(repo, true);
    lab.faults.add({ path: /code-scanning/, respond: { status: 503, body: {} }, times: 9 });
    expect(await upload({})).toMatchObject({ kind: 'not-uploaded', lasting: false });
    lab.faults.clear();
    expect(await upload({ sarif: Buffer.from('no gzip') })).toMatchObject({
      kind: 'not-uploaded',
      reason: expect.stringContaining('Invalid SARIF'),
    });
  });

  test('takes as much as fits, the worst, and no more', { timeout: 120_000 }, async () => {
    expect([RESULTS_MAX, SARIF_MAX_BYTES]).toEqual([SARIF_LIMITS.results, SARIF_LIMITS.gzipBytes]);
    const noise = randomBytes(600).toString('base64');
    const many = Array.from({ length: 200 }, (_, i) =>
      finding(`${i} ${randomBytes(600).toString('base64')}`),
    );
    const { bytes: packed, results } = packedSarif(logOf(many), RESULTS_MAX, 40_000);
    expect(packed.byteLength).toBeLessThanOrEqual(40_000);
    const [run] = JSON.parse(gunzipSync(packed).toString()).runs;
    expect(run.results.length).toBeGreaterThan(20);
    expect(run.properties).toEqual({ findings: 200, reported: run.results.length });
    expect(results).toBe(run.results.length);
    expect(run.results[0].message.text).toMatch(/^0 /);
    const none = packedSarif(logOf([finding(noise)]), RESULTS_MAX, 300);
    expect(none.results).toBe(0);
    expect(JSON.parse(gunzipSync(none.bytes).toString()).runs[0].results).toEqual([]);
    const tooMany = Array.from({ length: RESULTS_MAX + 1 }, (_, i) => finding(`${i}`));
    const bound = packedSarif((max) => logOf(tooMany)(Math.min(max, RESULTS_MAX)), RESULTS_MAX);
    expect(await upload({ sarif: bound.bytes })).toMatchObject({ kind: 'uploaded' });
    expect(lab.analyses(repo).at(-1)?.errors).toEqual([]);
    const over = packedSarif(() => logOf(tooMany)(RESULTS_MAX + 1), 1);
    expect(await upload({ sarif: over.bytes })).toMatchObject({
      kind: 'not-uploaded',
      reason: expect.stringContaining('could not process the file: 25001 results of a run, over the limit'),
    });
    expect(lab.analyses(repo).at(-1)?.errors).toEqual(['25001 results of a run, over the limit of 25000']);
  });
});
