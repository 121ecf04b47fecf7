import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account } from '../lab/github/accounts.ts';
import type { RepositoryName } from '../lab/github/acting.ts';
import type { Json } from '../lab/github/json.ts';
import { type LabGitHub, startLabGitHub } from '../lab/github/lab-github.ts';
import { type LabHost, openLab, type UpOptions } from '../lab/hosts.ts';
import { type EngineHandle, type EngineMode, startTestEngine } from './engine.ts';
import { isMany, startManyEngines } from './many.ts';
import { SECRET } from './secret.ts';
import { until } from './until.ts';

/** Real hosts, the lab's GitHub and a real engine, for end-to-end tests and the demo. Close it in any case. */
export interface World {
  readonly hosts: readonly LabHost[];
  readonly github: LabGitHub;
  readonly repo: RepositoryName;
  readonly engine: EngineHandle;
  /** The engine's data; goes with `close`. */
  readonly dataDir: string;
  /** Waits until the check of that name on a commit is completed, and returns it. */
  readonly check: (sha: string, name: string, options?: WaitOptions) => Promise<CheckRun>;
  readonly checks: (sha: string) => Promise<readonly CheckRun[]>;
  /** The engine's one comment. */
  readonly comment: (pull: number) => Promise<string>;
  readonly approve: (pull: number, by?: Account) => Promise<void>;
  readonly say: (pull: number, text: string, by?: Account) => Promise<number>;
  /** Waits for the engine's reply to a comment, and returns it. */
  readonly answer: (pull: number, comment: number, text: RegExp, seconds?: number) => Promise<string>;
  /** Opens a pull request with these files on a branch of its own. */
  readonly open: (
    branch: string,
    files: Readonly<Record<string, string | null>>,
  ) => Promise<{ pull: number; sha: string }>;
  readonly merged: (pull: number) => Promise<boolean>;
  /** Waits for the merge; default 60 s. `sha`: whose checks to tell if it does not come. */
  readonly mergedSoon: (pull: number, sha?: string, seconds?: number) => Promise<true>;
  readonly close: () => Promise<void>;
}

export interface WaitOptions {
  readonly seconds?: number;
  /** Also wait for this conclusion. */
  readonly conclusion?: string;
  readonly title?: RegExp;
}

export interface CheckRun {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly title: string;
  readonly summary: string;
}

export interface WorldOptions {
  /** How many, or their names. Default 1; 0 opens no lab. */
  readonly hosts?: number | readonly string[];
  /** Name of the lab, where people are to find it again. */
  readonly lab?: string;
  /** Name of the repository. */
  readonly repository?: string;
  /** Of every host. */
  readonly limits?: UpOptions;
  /** Further settings of the engine. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly files: (hosts: readonly LabHost[]) => Readonly<Record<string, string>>;
  readonly engine?: EngineMode;
  /** As of `EngineOptions`. */
  readonly through?: readonly string[];
  readonly main?: string;
  readonly command?: readonly string[];
  readonly progress?: (line: string) => void;
  /** Once aborted, what has been started is taken down again and `startWorld` throws. */
  readonly signal?: AbortSignal;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const progress = options.progress ?? (() => undefined);
  const dir = await mkdtemp(join(tmpdir(), 'doaas-world-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    const problems: unknown[] = [];
    for (const end of closing.splice(0).reverse())
      await end().catch((error: unknown) => problems.push(error));
    if (problems.length > 0) throw problems[0];
  };
  try {
    const [hosts, github] = await bothEnded(
      options.hosts === 0 ? Promise.resolve([]) : bootHosts(options, progress, closing),
      startLabGitHub({ webhookSecret: SECRET }).then((started) => {
        closing.push(() => started.close());
        closing.push(async () => expectDescribed(started));
        return started;
      }),
    );
    options.signal?.throwIfAborted();
    const repo = await github.createRepository({
      ...(options.repository === undefined ? {} : { name: options.repository }),
      files: { 'README.md': '# infra\n', ...options.files(hosts) },
    });
    progress(`the lab's GitHub serves ${repo.owner}/${repo.name} at ${github.url}`);
    const engine = await (isMany() ? startManyEngines : startTestEngine)({
      mode: options.engine ?? 'inside',
      dataDir: dir,
      github,
      secret: SECRET,
      sshKeyFile: hosts[0]?.privateKeyPath ?? '',
      environment: options.environment ?? {},
      through: options.through ?? [],
      ...(options.main === undefined ? {} : { main: options.main }),
      ...(options.command === undefined ? {} : { command: options.command }),
      logFile: join(dir, 'engine.log'),
    });
    closing.push(() => engine.stop());
    options.signal?.throwIfAborted();
    progress(`the engine is up at ${engine.url()}, process ${engine.pid()}`);
    github.setWebhookUrl(`${engine.url()}/webhooks/github`);
    return { hosts, github, repo, engine, dataDir: dir, close, ...verbsOf(github, repo) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whatever a test is about: GitHub would not take what its own description of its API does not know. */
function expectDescribed(github: LabGitHub): void {
  const wrong = github.violations().map(({ request, problems }) => {
    return `${request.method} ${request.path}: ${problems.join('; ')}`;
  });
  if (wrong.length > 0) throw new Error(`requests that GitHub does not describe:\n${wrong.join('\n')}`);
}

/** Of two that start side by side neither may go on unseen when the other has failed. */
async function bothEnded<A, B>(first: Promise<A>, second: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

async function bootHosts(
  options: WorldOptions,
  progress: (line: string) => void,
  closing: (() => Promise<unknown>)[],
): Promise<LabHost[]> {
  const lab = await openLab({ progress, ...(options.lab === undefined ? {} : { name: options.lab }) });
  closing.push(() => lab.down());
  return lab.up(options.hosts ?? 1, options.limits);
}

/** What people do and see in one repository. */
export function verbsOf(github: LabGitHub, repo: RepositoryName) {
  const checks = async (sha: string): Promise<readonly CheckRun[]> =>
    (await github.listChecks(repo, sha)).map(toCheck);
  const comment = async (pull: number): Promise<string> => {
    const comments = await github.listComments(repo, pull);
    const own = comments.find((comment) => String(comment.body).startsWith('<!-- doaas:pull-request -->'));
    return String(own?.body ?? '');
  };
  const merged = async (pull: number): Promise<boolean> => (await github.getPull(repo, pull)).merged === true;
  const replies = async (pull: number): Promise<readonly string[]> =>
    (await github.listComments(repo, pull)).map((comment) => String(comment.body));
  return {
    checks,
    check: (sha: string, name: string, wait: WaitOptions = {}) =>
      until(
        async () => (await checks(sha)).find((run) => run.name === name && isWanted(run, wait)),
        `the check ${name} of ${sha.slice(0, 8)} ${wait.conclusion ?? 'completed'}`,
        wait.seconds ?? 60,
        async () => JSON.stringify((await checks(sha)).map(({ summary: _, ...run }) => run)),
      ),
    comment,
    approve: async (pull: number, by: Account = github.accounts.reviewer) => {
      await github.review(repo, pull, by, 'APPROVE');
    },
    say: (pull: number, text: string, by: Account = github.accounts.author) =>
      github.comment(repo, pull, by, text),
    answer: (pull: number, comment: number, text: RegExp, seconds = 60) =>
      until(
        async () =>
          (await replies(pull))
            .filter((body) => body.startsWith(`<!-- doaas:reply-${comment} -->`))
            .find((body) => text.test(body)),
        `an answer to comment ${comment} like ${text}`,
        seconds,
        async () => JSON.stringify(await replies(pull)),
      ),
    open: async (branch: string, files: Readonly<Record<string, string | null>>) => {
      const sha = await github.branchWithChanges(repo, branch, files);
      return { pull: await github.openPullRequest(repo, { branch, title: `Change ${branch}` }), sha };
    },
    merged,
    mergedSoon: (pull: number, sha = '', seconds = 60) =>
      until(
        async () => ((await merged(pull)) ? (true as const) : undefined),
        `#${pull} to be merged`,
        seconds,
        async () => JSON.stringify([sha === '' ? [] : await checks(sha), await comment(pull)]),
      ),
  };
}

function toCheck(run: Json): CheckRun {
  const output = run.output as { readonly title?: string; readonly summary?: string } | undefined;
  return {
    id: Number(run.id),
    name: String(run.name),
    status: String(run.status),
    conclusion: run.conclusion === null ? null : String(run.conclusion),
    title: output?.title ?? '',
    summary: output?.summary ?? '',
  };
}

function isWanted(run: CheckRun, wait: WaitOptions): boolean {
  if (run.status !== 'completed') return false;
  if (wait.conclusion !== undefined && run.conclusion !== wait.conclusion) return false;
  return wait.title === undefined || wait.title.test(run.title);
}

/** `Server` documents of lab hosts. */
export function serverYaml(hosts: readonly LabHost[], user: 'root' | 'deploy' = 'deploy'): string {
  return hosts
    .map(
      (host, i) => `apiVersion: doaas/v1
kind: Server
metadata: {name: web-${i + 1}, labels: {role: web}}
spec: {address: ${host.address}, user: ${user}, become: sudo, hostKey: "${host.hostKeys[0]}"}
`,
    )
    .join('---\n');
}
