import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RepositoryError } from './error.ts';
import { gathered } from './gathered.ts';
import { type Git, gitIn, REMOTE_TIMEOUT_MS } from './git.ts';
import { type MergedTree, mergeTrees, type RevertRequest, revertCommit } from './merge.ts';
import type { RunGit } from './runGit.ts';
import { type RepositoryTree, readCommit, readTree, treeOf } from './tree.ts';

export interface MirrorOptions {
  /** Folder of the bare mirror; made when missing. */
  readonly dir: string;
  /** `https://github.com/owner/name.git`, without credentials. */
  readonly url: string;
  /** A fresh token for each talk with the remote; undefined for a public repository. */
  readonly token?: () => Promise<string | undefined>;
  /** Tests only: lets `url` be a `file://` one. */
  readonly allowFileProtocol?: boolean;
  /** Who starts git; default: this process. */
  readonly run?: RunGit;
}

/** A local copy of one repository's objects. All calls may throw `RepositoryError`; see its `type`. */
export interface Mirror {
  /** Makes sure that a commit is here; asks the remote only when it is not, by id and then by `refs`. */
  readonly fetchCommit: (sha: string, refs?: readonly string[]) => Promise<void>;
  /** Asks the remote for `refs/heads/NAME` and the like; returns the commit it points to. */
  readonly resolveRef: (ref: string) => Promise<string>;
  /** All files of a commit or tree that is here. */
  readonly readTree: (treeish: string) => Promise<RepositoryTree>;
  readonly mergedTree: (baseSha: string, headSha: string) => Promise<MergedTree>;
  readonly treeOf: (commit: string) => Promise<string>;
  readonly changedPaths: (from: string, to: string) => Promise<readonly string[]>;
  /** Best common ancestors of two commits that are here; none of unrelated histories. */
  readonly mergeBases: (one: string, other: string) => Promise<readonly string[]>;
  /** Pushes a commit that takes `mergeSha` back to a new branch; repeating it is harmless. Returns the commit. */
  readonly createRevert: (request: RevertRequest & { readonly branch: string }) => Promise<string>;
}

export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  checkUrl(options);
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const git = gitIn(options);
  if (!(await exists(join(options.dir, 'HEAD')))) await git.text(['init', '--bare', '--quiet', options.dir]);
  // Nothing that git does here shall start a program.
  await rm(join(options.dir, 'hooks'), { recursive: true, force: true });
  const remote = remoteOf(git, options);
  const merge = remembered((base, head) => merged(git, base, head));
  return {
    fetchCommit: async (sha, refs = []) => fetchCommit(git, remote, objectId(sha), refs.map(refName)),
    resolveRef: async (ref) => remote.fetchRef(refName(ref)),
    readTree: async (treeish) => readTree(git.objects, objectId(treeish)),
    mergedTree: async (base, head) => merge(objectId(base), objectId(head)),
    treeOf: async (commit) => treeOf(git.objects, objectId(commit)),
    changedPaths: async (from, to) => changedPaths(git, objectId(from), objectId(to)),
    mergeBases: async (one, other) => {
      const bases = await git.text(['merge-base', '--all', objectId(one), objectId(other)]);
      return bases.split('\n').filter((line) => line !== '');
    },
    createRevert: async ({ branch, ...request }) => {
      const ref = refName(`refs/heads/${branch}`);
      const commit = await revertCommit(git, {
        ...request,
        mergeSha: objectId(request.mergeSha),
        onto: objectId(request.onto),
      });
      await remote.push(commit, ref);
      return commit;
    },
  };
}

interface Remote {
  readonly fetchCommit: (sha: string) => Promise<void>;
  readonly fetchRef: (ref: string) => Promise<string>;
  readonly push: (commit: string, ref: string) => Promise<void>;
}

function remoteOf(git: Git, options: MirrorOptions): Remote {
  const inTurn = oneAtATime();
  const talk = async (args: readonly string[]): Promise<void> => {
    const token = await options.token?.();
    await git.text(args, { timeoutMs: REMOTE_TIMEOUT_MS, token });
  };
  // A local ref keeps what was fetched, so that the next fetch sends only what is new.
  const fetch = (refspecs: readonly string[]): Promise<void> => talk([...FETCH, options.url, ...refspecs]);
  const fetchOne = (sha: string) => inTurn(async () => void (await fetch([`+${sha}:refs/commits/${sha}`])));
  const fetchMany = (shas: readonly string[]) =>
    inTurn(() => fetch(shas.map((sha) => `+${sha}:refs/commits/${sha}`)));
  return {
    fetchCommit: gathered(fetchMany, fetchOne),
    fetchRef: (ref) =>
      inTurn(async () => {
        const local = `refs/remote/${ref.slice('refs/'.length)}`;
        await fetch([`+${ref}:${local}`]);
        return (await git.text(['rev-parse', '--verify', `${local}^{commit}`])).trim();
      }),
    push: (commit, ref) => inTurn(() => talk(['push', '--quiet', options.url, `${commit}:${ref}`])),
  };
}

const FETCH = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];

async function fetchCommit(git: Git, remote: Remote, sha: string, refs: readonly string[]): Promise<void> {
  if (await hasCommit(git, sha)) return;
  const refused = await remote.fetchCommit(sha).then(() => undefined, notFoundOrThrow);
  for (const ref of refs) {
    if (await hasCommit(git, sha)) return;
    await remote.fetchRef(ref).catch(notFoundOrThrow);
  }
  if (await hasCommit(git, sha)) return;
  throw (
    refused ??
    new RepositoryError('commit-not-found', `${sha} is not a commit of the repository. Plan the newest head.`)
  );
}

function notFoundOrThrow(error: unknown): RepositoryError {
  if (error instanceof RepositoryError && error.type === 'commit-not-found') return error;
  throw error;
}

async function hasCommit(git: Git, sha: string): Promise<boolean> {
  return (await git.objects.info([sha])).get(sha)?.type === 'commit';
}

/** Merges whose result is kept; two commits always merge to the same. */
const MERGES_KEPT = 512;

function remembered(work: (base: string, head: string) => Promise<MergedTree>): typeof work {
  const known = new Map<string, Promise<MergedTree>>();
  return (base, head) => {
    const key = `${base} ${head}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const fresh = work(base, head);
    known.set(key, fresh);
    fresh.catch(() => known.delete(key));
    for (const oldest of [...known.keys()].slice(0, Math.max(0, known.size - MERGES_KEPT)))
      known.delete(oldest);
    return fresh;
  };
}

/** Commits that are looked through for the base before git itself merges. */
const ANCESTORS_MAX = 64;

/** A head that contains its base needs no merge: its own tree is the result. */
async function merged(git: Git, base: string, head: string): Promise<MergedTree> {
  const { tree } = await readCommit(git.objects, head);
  return (await contains(git, head, base)) ? { kind: 'clean', treeSha: tree } : mergeTrees(git, base, head);
}

async function contains(git: Git, head: string, base: string): Promise<boolean> {
  const seen = new Set([head]);
  let level: readonly string[] = [head];
  while (level.length > 0 && seen.size <= ANCESTORS_MAX) {
    if (seen.has(base)) return true;
    const commits = await Promise.all(level.map((sha) => readCommit(git.objects, sha)));
    level = commits.flatMap((commit) => commit.parents).filter((parent) => !seen.has(parent));
    for (const parent of level) seen.add(parent);
  }
  return seen.has(base);
}

async function changedPaths(git: Git, from: string, to: string): Promise<readonly string[]> {
  const text = await git.text(['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to]);
  return text.split('\0').filter((path) => path !== '');
}

/** Talks with one remote go one after the other; a failed one does not stop the next. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Only full ids and full plain ref names reach git's arguments, so that none can be read as an option. */
function objectId(sha: string): string {
  if (/^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new RepositoryError(
    'bad-argument',
    `"${sha.slice(0, 80)}" is not a full git object id of 40 hex digits.`,
  );
}

function refName(ref: string): string {
  const plain = /^refs\/(heads|pull|tags)\/[A-Za-z0-9_][\w./+@#=-]{0,250}$/.test(ref);
  if (plain && !/\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|[./]$/.test(ref)) return ref;
  throw new RepositoryError('bad-argument', `"${ref.slice(0, 80)}" is not a ref name that the engine takes.`);
}

function checkUrl({ url, allowFileProtocol = false }: MirrorOptions): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const protocols = allowFileProtocol ? ['https:', 'http:', 'file:'] : ['https:', 'http:'];
  if (
    parsed !== undefined &&
    protocols.includes(parsed.protocol) &&
    parsed.username === '' &&
    parsed.password === ''
  )
    return;
  throw new RepositoryError(
    'bad-argument',
    `A repository's URL must be http or https and hold no credentials; its protocol is ${parsed?.protocol ?? 'unknown'}.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
