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
import { packedSarif, SARIF_MAX_BYTES, type SarifUpload, uploadSarif } from './codeScanning.ts';
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
    message,
    document: 'Hardening/base',
    pointer: '',
    fingerprint: Buffer.from(host).toString('hex').padEnd(64, '0'),
  });
  const logOf = (findings: readonly SecurityFinding[]) => (max: number) =>
    sarifOf(findings, { version: '1.0.0', locate: HERE, max });
  const upload = (part: Partial<SarifUpload>) =>
    uploadSarif(client, repo, {
      sarif: packedSarif(logOf([finding('one')]), RESULTS_MAX),
      commit,
      ref: 'refs/heads/main',
      startedAt: '2026-11-27T00:00:00Z',
      ...part,
    });

  test('takes what the engine makes, and shows it', async () => {
    expect(await upload({})).toMatchObject({ kind: 'uploaded' });
    const [first] = lab.analyses(repo);
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
    const packed = packedSarif(logOf(many), RESULTS_MAX, 40_000);
    expect(packed.byteLength).toBeLessThanOrEqual(40_000);
    const [run] = JSON.parse(gunzipSync(packed).toString()).runs;
    expect(run.results.length).toBeGreaterThan(20);
    expect(run.properties).toEqual({ findings: 200, reported: run.results.length });
    expect(run.results[0].message.text).toMatch(/^0 /);
    const none = packedSarif(logOf([finding(noise)]), RESULTS_MAX, 300);
    expect(JSON.parse(gunzipSync(none).toString()).runs[0].results).toEqual([]);
    const tooMany = Array.from({ length: RESULTS_MAX + 1 }, (_, i) => finding(`${i}`));
    const bound = packedSarif((max) => logOf(tooMany)(Math.min(max, RESULTS_MAX)), RESULTS_MAX);
    expect(await upload({ sarif: bound })).toMatchObject({ kind: 'uploaded' });
    expect(lab.analyses(repo).at(-1)?.errors).toEqual([]);
    const over = packedSarif(() => logOf(tooMany)(RESULTS_MAX + 1), 1);
    await upload({ sarif: over });
    expect(lab.analyses(repo).at(-1)?.errors).toEqual(['25001 results of a run, over the limit of 25000']);
  });
});
