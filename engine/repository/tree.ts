import { RepositoryError } from './error.ts';
import type { GitObject, Objects } from './objects.ts';

/** Entries (files, links, submodules) of one commit. */
export const TREE_ENTRIES_MAX = 10_000;
/** One file; a larger one is refused and named. */
export const TREE_FILE_MAX_BYTES = 1024 * 1024;
/** All files of one commit together. */
export const TREE_TOTAL_MAX_BYTES = 64 * 1024 * 1024;
/** One path, in characters: Linux's PATH_MAX. */
export const TREE_PATH_MAX = 4_096;

export interface RefusedPath {
  readonly path: string;
  /** Completes the sentence "PATH was left out: it is ...". */
  readonly why: string;
  readonly reason: 'symlink' | 'submodule' | 'path' | 'size';
}

export interface RepositoryTree {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly refused: readonly RefusedPath[];
}

interface Entry {
  readonly mode: string;
  readonly oid: string;
  readonly size: number;
  readonly path: string;
}

/** All files of a commit or tree, without a checkout. Throws `too-large`, `commit-not-found`. */
export async function readTree(objects: Objects, treeish: string): Promise<RepositoryTree> {
  const entries = await listEntries(objects, treeish);
  const refused = entries.flatMap((entry) => refusal(entry) ?? []);
  const left = new Set(refused.map((r) => r.path));
  const wanted = entries.filter((entry) => !left.has(entry.path));
  const total = wanted.reduce((sum, entry) => sum + entry.size, 0);
  if (total > TREE_TOTAL_MAX_BYTES) throw tooLarge(treeish, `${total} bytes`, `${TREE_TOTAL_MAX_BYTES}`);
  const blobs = await objects.contents([...new Set(wanted.map((entry) => entry.oid))]);
  return { files: new Map(wanted.map((entry) => [entry.path, contentOf(entry, blobs)])), refused };
}

/** Level by level, so that a tree made to explode is noticed before it does. In the order of paths. */
async function listEntries(objects: Objects, treeish: string): Promise<readonly Entry[]> {
  const leaves: Omit<Entry, 'size'>[] = [];
  let count = 0;
  let level: readonly Omit<Entry, 'size'>[] = [
    { mode: TREE_MODE, path: '', oid: await treeOf(objects, treeish) },
  ];
  while (level.length > 0) {
    const trees = await objects.contents([...new Set(level.map((tree) => tree.oid))]);
    const next: Omit<Entry, 'size'>[] = [];
    for (const tree of level) {
      const bytes = trees.get(tree.oid)?.bytes;
      if (bytes === undefined)
        throw new RepositoryError('git-failed', `The tree ${tree.oid} is not in the mirror.`);
      for (const entry of parseTree(bytes)) {
        count += 1;
        if (count > TREE_ENTRIES_MAX)
          throw tooLarge(treeish, `more than ${count - 1} files`, `${TREE_ENTRIES_MAX}`);
        const path = tree.path === '' ? entry.path : `${tree.path}/${entry.path}`;
        (entry.mode === TREE_MODE ? next : leaves).push({ ...entry, path });
      }
    }
    level = next.filter((tree) => tree.path.length <= TREE_PATH_MAX);
  }
  const blobs = leaves.filter((leaf) => leaf.mode !== SUBMODULE_MODE).map((leaf) => leaf.oid);
  const sizes = await objects.info([...new Set(blobs)]);
  return leaves
    .map((leaf) => ({ ...leaf, size: sizes.get(leaf.oid)?.size ?? 0 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The tree of a commit, or the id itself if it is a tree's. Throws `commit-not-found`. */
export async function treeOf(objects: Objects, treeish: string): Promise<string> {
  const info = (await objects.info([treeish])).get(treeish);
  if (info?.type === 'tree') return treeish;
  if (info?.type === 'commit') return (await readCommit(objects, treeish)).tree;
  throw new RepositoryError(
    'commit-not-found',
    `${treeish} is no commit or tree of the repository. Push it, or plan the newest head.`,
  );
}

export interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
}

/** Throws `commit-not-found`. */
export async function readCommit(objects: Objects, sha: string): Promise<Commit> {
  const found = (await objects.contents([sha])).get(sha);
  const text = found?.type === 'commit' ? found.bytes.toString('latin1') : '';
  const tree = /^tree ([0-9a-f]{40})\n/.exec(text)?.[1];
  if (tree === undefined)
    throw new RepositoryError(
      'commit-not-found',
      `${sha} is not a commit of the repository. Plan the newest head.`,
    );
  const header = text.slice(0, text.indexOf('\n\n'));
  return { tree, parents: [...header.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((match) => match[1] ?? '') };
}

const TREE_MODE = '40000';
const SUBMODULE_MODE = '160000';
/** Bytes of an object's id in a tree (SHA-1). */
const OID_BYTES = 20;

/** `MODE SP NAME NUL OID`, repeated; see gitformat-pack(5) and "Git Internals: Git Objects". */
export function parseTree(bytes: Buffer): readonly Omit<Entry, 'size'>[] {
  const entries: Omit<Entry, 'size'>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + OID_BYTES >= bytes.length)
      throw new RepositoryError('git-failed', 'a tree of the repository is damaged');
    const end = nul + 1 + OID_BYTES;
    entries.push({
      mode: bytes.toString('latin1', at, space),
      path: bytes.toString('utf8', space + 1, nul),
      oid: bytes.toString('hex', nul + 1, end),
    });
    at = end;
  }
  return entries;
}

export function refusal({ mode, path, size }: Entry): RefusedPath | undefined {
  if (mode === '120000') return { path, why: 'a symbolic link, which is never followed', reason: 'symlink' };
  if (mode === SUBMODULE_MODE)
    return { path, why: 'a submodule, which is never fetched', reason: 'submodule' };
  const odd = oddPath(path);
  if (odd !== undefined) return { path, why: odd, reason: 'path' };
  if (size <= TREE_FILE_MAX_BYTES) return undefined;
  return { path, why: `${size} bytes long, over the limit of ${TREE_FILE_MAX_BYTES}`, reason: 'size' };
}

/** Git itself refuses to make such paths, but a tree object can be written by hand. */
function oddPath(path: string): string | undefined {
  const parts = path.split('/');
  if (path.length > TREE_PATH_MAX) return `longer than ${TREE_PATH_MAX} characters`;
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    return 'a path that leaves the repository';
  if (parts.some((part) => part.toLowerCase() === '.git')) return "inside git's own folder";
  if (path.includes('\uFFFD')) return 'a name that is not UTF-8';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return /[\u0000-\u001f\u007f\\]/.test(path) ? 'a name with a control character or backslash' : undefined;
}

function contentOf(entry: Entry, blobs: ReadonlyMap<string, GitObject>): Uint8Array {
  const content = blobs.get(entry.oid)?.bytes;
  if (content?.byteLength === entry.size) return content;
  throw new RepositoryError('git-failed', `The content of ${entry.path} could not be read from the mirror.`);
}

function tooLarge(treeish: string, what: string, limit: string): RepositoryError {
  return new RepositoryError(
    'too-large',
    `Commit ${treeish} holds ${what}, over the limit of ${limit}. Keep large or generated files out of the infrastructure repository.`,
  );
}
