import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { createTracker } from '../advisories/tracker.ts';
import { secret } from '../config/secret.ts';
import { createGitHub } from '../github/client.ts';
import { createLogger } from '../log.ts';
import { runGit } from '../repository/runGit.ts';
import type { HostSecurity, ReadSecurity } from '../security/host.ts';
import { EXPOSURE, PATCHES, readHost } from '../security/testing/hosts.ts';
import { forAll } from '../spec/testing.ts';
import { openStore, type Store } from '../store/store.ts';
import { createMirrors } from './mirrors.ts';
import { publishSecurity } from './publishSecurity.ts';
import { rememberSecurity } from './rememberSecurity.ts';
import { createRevisions } from './revisions.ts';

const SERVERS = ['web-1', 'web-2']
  .map(
    (name, i) => `apiVersion: doaas/v1
kind: Server
metadata: {name: ${name}}
spec: {address: 192.0.2.${i + 1}, user: root}
`,
  )
  .join('---\n');
const FILES = {
  'a-servers.yaml': SERVERS,
  'firewall.yaml': forAll('Firewall', 'base'),
  'hardening.yaml': forAll('Hardening', 'base'),
};

/** With the lab's GitHub and a store; what servers said is put into the store as `readSecurity` does. */
describe('the security report', { timeout: 60_000 }, () => {
  let dir: string;
  let lab: LabGitHub;
  let store: Store;
  let repo: RepositoryName;
  const logged: string[] = [];
  const log = createLogger('warn', { write: (line) => void logged.push(line) });
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'doaas-publish-'));
    lab = await startLabGitHub({ webhookSecret: 'a secret of this test' });
  }, 60_000);
  afterAll(async () => {
    await store?.close();
    await lab?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const parts = () => {
    const config = {
      githubApiUrl: lab.url,
      githubAppId: lab.app.id,
      githubPrivateKey: secret(lab.app.privateKey),
      githubWritesPerMinute: 1_000,
    };
    const github = createGitHub(config, log);
    const source = createMirrors({ dataDir: dir, githubUrl: lab.url, github, git: runGit });
    const tracker = createTracker({ url: 'off', folder: dir, failed: () => undefined });
    return { store, github, log, tracker, revisions: createRevisions(source) };
  };
  const anew = async (files: Readonly<Record<string, string>> = FILES) => {
    await store?.close();
    store = await openStore({ file: join(await mkdtemp(join(dir, 'store-')), 'store.sqlite') });
    repo = await lab.createRepository({ files });
  };
  const read = async (at: number, ...hosts: readonly HostSecurity[]) => {
    const name = `${repo.owner}/${repo.name}`;
    await store.securityHosts.save(name, at, hosts);
    await rememberSecurity(store.securityHosts, name, at, hosts);
  };
  const publish = async (at: number, commit?: string) =>
    publishSecurity(parts(), {
      repository: { ...repo, installationId: lab.installationId },
      tip: { branch: 'main', commit: commit ?? (await lab.branchSha(repo, 'main')), at },
      signal: new AbortController().signal,
      told: new Set(),
    });
  const results = () => {
    const { sarif } = lab.analyses(repo).at(-1) ?? {};
    return (sarif as { runs: [{ results: readonly Result[] }] }).runs[0].results;
  };
  const prints = () => results().map((result) => result.partialFingerprints.primaryLocationLineHash);
  const texts = (pattern: RegExp) =>
    results()
      .map(({ message }) => message.text)
      .filter((text) => pattern.test(text));
  const bare = (host: string, part: Partial<ReadSecurity> = {}) => readHost(host, { hardening: [], ...part });
  const away = (host: string) => ({ kind: 'unread', host, problem: 'connect EHOSTUNREACH' }) as const;

  test('of an older tip tells what a later reading saw by a document of its own at the Server document', async () => {
    await anew({ 'a-servers.yaml': SERVERS });
    const older = await lab.branchSha(repo, 'main');
    await lab.push(repo, 'main', { 'hardening.yaml': FILES['hardening.yaml'] });
    const exposure = { from: 'web-1', ports: [], more: 0, unseen: [] };
    await read(1, bare('web-1', { exposure }), bare('web-2', { exposure }));
    await read(2, readHost('web-2', { exposure }));
    expect(await publish(1, older)).toMatchObject({ uploaded: true });
    const at = results().flatMap(({ ruleId, locations: [{ physicalLocation }] }) =>
      ruleId === 'hardening/ssh-root-login'
        ? [[physicalLocation.artifactLocation.uri, physicalLocation.region.startLine]]
        : [],
    );
    expect(at).toEqual([['a-servers.yaml', 8]]);
  });

  test('keeps the alerts of a server that does not answer, and of one that nobody read, as of when they were seen', async () => {
    await anew();
    const seen = Date.parse('2026-11-26T10:00:00Z');
    await read(seen, readHost('web-1'), readHost('web-2'));
    await publish(seen);
    const before = prints();
    for (const reading of [[away('web-2')], []]) {
      const at = seen + 3_600_000 * (2 - reading.length);
      await read(at, readHost('web-1'), ...reading);
      await publish(at);
      expect(prints().toSorted()).toEqual(before.toSorted());
      expect(texts(/^As of 2026-11-26 10:00 UTC: curl on web-2 is/)).toHaveLength(1);
      expect(texts(/^As of .*web-1/)).toEqual([]);
    }
    await read(seen + 7_200_001, readHost('web-1'), readHost('web-2', { hardening: [] }));
    await publish(seen + 7_200_001);
    expect(before.length - prints().length).toBe(1);
    expect(texts(/^As of/)).toEqual([]);
  });

  test('keeps the alerts of ports that nobody could look at, and of updates of which apt says nothing', async () => {
    await anew();
    await read(1, readHost('web-1'), readHost('web-2'));
    await publish(1);
    const before = prints();
    const { firewall = '' } = EXPOSURE;
    const exposure = { firewall, why: 'web-1 was lost while it looked', ports: [], more: 0, unseen: [] };
    const problem = 'E: broken packages';
    const patches = { ...PATCHES, security: [], others: 0, problem, unknown: true } as const;
    await read(2, readHost('web-1'), readHost('web-2', { exposure, patches }));
    await publish(2);
    expect(prints().toSorted()).toEqual(before.toSorted());
    expect(texts(/^As of .* on web-2 is .*|^As of .*tcp\/3306 of web-2/)).toHaveLength(3);
    // and when it is down after that
    await read(3, readHost('web-1'), away('web-2'));
    await publish(3);
    expect(prints().toSorted()).toEqual(before.toSorted());
  });

  test('keeps the alerts of ports that the one who looked could not have reached, however often', async () => {
    await anew();
    await read(1, readHost('web-1'), readHost('web-2'));
    await publish(1);
    const before = prints();
    const ports = EXPOSURE.ports.map(({ declared: _, ...port }) =>
      port.port === 22 ? { ...port, declared: true } : { ...port, open: false, unknown: true as const },
    );
    for (const at of [2, 3]) {
      await read(at, readHost('web-1'), readHost('web-2', { exposure: { ...EXPOSURE, ports } }));
      await publish(at);
      expect(prints().toSorted()).toEqual(before.toSorted());
      expect(texts(/^As of 1970-01-01 00:00 UTC: .*tcp\/3306 of web-2/)).toHaveLength(1);
    }
    const closed = EXPOSURE.ports.map((port) => (port.port === 3306 ? { ...port, open: false } : port));
    await read(4, readHost('web-1'), readHost('web-2', { exposure: { ...EXPOSURE, ports: closed } }));
    await publish(4);
    expect(before.length - prints().length).toBe(1);
  });

  test('holds what the documents of now say against a server that does not answer, and no more', async () => {
    await anew();
    await read(1, readHost('web-1'), readHost('web-2'));
    await publish(1);
    const waivers = { 'ssh-root-login': { reason: 'a reason', owner: 'kate', expires: '2099-01-31' } };
    await lab.push(repo, 'main', {
      'hardening.yaml': forAll('Hardening', 'renamed', { waivers }),
      'firewall.yaml': null,
    });
    const { firewall: _, ...exposure } = EXPOSURE;
    await read(2, bare('web-1', { exposure }), away('web-2'));
    await publish(2);
    expect(texts(/ssh-root-login|which no rule of|waiver/)).toEqual([]);
    expect(texts(/^No Firewall document has web-2 .* As of .*web-2 reaches/)).toHaveLength(1);
    expect(texts(/^As of .*curl on web-2/)).toHaveLength(1);
  });

  test('that was overtaken by one of a later reading is not uploaded', async () => {
    await anew();
    await read(1, readHost('web-1'), readHost('web-2'));
    await read(2, readHost('web-1'), readHost('web-2'));
    expect(await publish(2)).toMatchObject({ uploaded: true });
    expect(await publish(1)).toMatchObject({ uploaded: false });
    expect(lab.analyses(repo)).toHaveLength(1);
    expect(await publish(2)).toMatchObject({ uploaded: true });
  });

  test('closes no alerts of a server of which the store knows nothing', async () => {
    await anew();
    // never seen, and nothing was uploaded yet
    await read(1, readHost('web-1'), away('web-2'));
    expect(await publish(1)).toMatchObject({ uploaded: true });
    await read(2, readHost('web-1'), readHost('web-2'));
    await publish(2);
    const stood = prints();
    const kept = repo;
    await anew();
    repo = kept;
    await read(3, readHost('web-1'), away('web-2'));
    expect(await publish(3)).toMatchObject({ uploaded: false });
    expect(logged.at(-1)).toMatch(/nothing, or not all, is known of web-2, and GitHub has alerts/);
    expect(prints()).toEqual(stood);
    await read(4, readHost('web-1'), readHost('web-2'));
    expect(await publish(4)).toMatchObject({ uploaded: true });
    await read(5, readHost('web-1'), away('web-2'));
    expect(await publish(5)).toMatchObject({ uploaded: true });
    expect(prints().toSorted()).toEqual(stood.toSorted());
  });
});

interface Result {
  readonly ruleId: string;
  readonly message: { readonly text: string };
  readonly partialFingerprints: { readonly primaryLocationLineHash: string };
  readonly locations: readonly [
    {
      readonly physicalLocation: {
        readonly artifactLocation: { readonly uri: string };
        readonly region: { readonly startLine: number };
      };
    },
  ];
}
