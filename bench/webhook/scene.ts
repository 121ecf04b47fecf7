import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { type EngineHandle, startTestEngine } from '../../test/engine.ts';
import { hostKeyOf } from '../../test/hostKey.ts';
import type { Pull, Sender } from './deliveries.ts';

/** A GitHub with open pull requests and a real engine that does not know them yet. Close it in any case. */
export interface Scene {
  readonly github: LabGitHub;
  readonly repo: RepositoryName;
  readonly engine: EngineHandle;
  readonly sender: Sender;
  /** Opens a client of the engine's Temporal server; ask again after the engine was started again. */
  readonly temporal: () => Promise<Client>;
  readonly close: () => Promise<void>;
}

const SECRET = 'a webhook secret for the benchmark';
/** Servers that the repository names; none of the changes touches them, so that no plan waits for a host. */
const SERVERS = 10;

export async function openScene(
  pullCount: number,
  progress: (line: string) => void,
  environment: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'doaas-bench-'));
    closing.push(() => rm(dir, { recursive: true, force: true }));
    const github = await startLabGitHub({ webhookSecret: SECRET });
    closing.push(() => github.close());
    const repo = await github.createRepository({
      files: { 'README.md': '# infra\n', 'servers.yaml': serversYaml() },
    });
    progress(`opening ${pullCount} pull requests in the lab's GitHub`);
    const numbers = await github.openPullRequests(
      repo,
      Array.from({ length: pullCount }, (_, n) => noteOf(n)),
    );
    const pulls = await Promise.all(numbers.map((number) => pullOf(github, repo, number)));
    progress('starting the engine');
    const options = { mode: 'process', dataDir: dir, github, secret: SECRET, sshKeyFile: '' } as const;
    const engine = await startTestEngine({
      ...options,
      environment: { DOAAS_LOG_LEVEL: 'info', ...environment },
    });
    closing.push(() => engine.stop());
    const connections: Connection[] = [];
    closing.push(async () => Promise.all(connections.map((connection) => connection.close())));
    return {
      github,
      repo,
      engine,
      sender: { ...senderOf(github, repo, pulls), repositoryId: await idOf(github, repo, numbers[0] ?? 0) },
      temporal: async () => {
        const connection = await Connection.connect({ address: temporalAddress(engine) });
        connections.push(connection);
        return new Client({ connection });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function senderOf(
  github: LabGitHub,
  repo: RepositoryName,
  pulls: readonly Pull[],
): Omit<Sender, 'repositoryId'> {
  const { installationId, app } = github;
  return { owner: repo.owner, repo: repo.name, installationId, appId: app.id, secret: SECRET, pulls };
}

/** A delivery that names another id is about another repository, whatever it calls it. */
async function idOf(github: LabGitHub, repo: RepositoryName, number: number): Promise<number> {
  const { base } = (await github.getPull(repo, number)) as {
    readonly base: { readonly repo: { readonly id: number } };
  };
  return base.repo.id;
}

async function pullOf(github: LabGitHub, repo: RepositoryName, number: number): Promise<Pull> {
  const { head } = (await github.getPull(repo, number)) as {
    readonly head: { readonly sha: string; readonly ref: string };
  };
  return { number, headSha: head.sha, branch: head.ref };
}

/** The engine says at start where its Temporal is. */
function temporalAddress(engine: EngineHandle): string {
  const addresses = [...engine.output().matchAll(/"temporal":"([^"]+)","msg":"the engine is up"/g)];
  const last = addresses.at(-1)?.[1];
  if (last === undefined) throw new Error('the engine did not say where its Temporal is');
  return last;
}

export function noteOf(n: number): Readonly<Record<string, string>> {
  return { [`docs/change-${n}.md`]: `Change ${n}\n` };
}

function serversYaml(): string {
  return Array.from(
    { length: SERVERS },
    (_, n) => `apiVersion: doaas/v1
kind: Server
metadata: {name: web-${n + 1}, labels: {role: web}}
spec: {address: 192.0.2.${n + 1}, user: deploy, become: sudo, hostKey: "${hostKeyOf(`web-${n + 1}`)}"}
`,
  ).join('---\n');
}
