import { RepositoryError } from './error.ts';
import type { Git } from './git.ts';

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

/** All files of a commit or tree in two processes, without a checkout. Throws `too-large`, `commit-not-found`. */
export async function readTree(git: Git, treeish: string): Promise<RepositoryTree> {
  const entries = parseListing(await git.text(['ls-tree', '-r', '-z', '-l', '--full-tree', treeish]));
  if (entries.length > TREE_ENTRIES_MAX) {
    throw tooLarge(treeish, `${entries.length} files`, `${TREE_ENTRIES_MAX}`);
  }
  const refused = entries.flatMap((entry) => refusal(entry) ?? []);
  const left = new Set(refused.map((r) => r.path));
  const wanted = entries.filter((entry) => !left.has(entry.path));
  const total = wanted.reduce((sum, entry) => sum + entry.size, 0);
  if (total > TREE_TOTAL_MAX_BYTES) throw tooLarge(treeish, `${total} bytes`, `${TREE_TOTAL_MAX_BYTES}`);
  const blobs = await readBlobs(git, [...new Set(wanted.map((entry) => entry.oid))]);
  return { files: new Map(wanted.map((entry) => [entry.path, contentOf(entry, blobs)])), refused };
}

/** `MODE TYPE OID SIZE<TAB>PATH<NUL>`; submodules have `-` as size. */
export function parseListing(text: string): readonly Entry[] {
  return text
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', , oid = '', size = '-'] = line.slice(0, tab).split(/ +/);
      return { mode, oid, size: size === '-' ? 0 : Number(size), path: line.slice(tab + 1) };
    });
}

export function refusal({ mode, path, size }: Entry): RefusedPath | undefined {
  if (mode === '120000') return { path, why: 'a symbolic link, which is never followed', reason: 'symlink' };
  if (mode === '160000') return { path, why: 'a submodule, which is never fetched', reason: 'submodule' };
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

async function readBlobs(git: Git, oids: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  if (oids.length === 0) return new Map();
  return parseBatch(await git.catFile(['--batch', '--buffer'], { input: `${oids.join('\n')}\n` }));
}

/** `OID blob SIZE<LF>CONTENT<LF>`, repeated. */
export function parseBatch(bytes: Buffer): ReadonlyMap<string, Uint8Array> {
  const blobs = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const [oid = '', type, size] = bytes.toString('latin1', at, end).split(' ');
    if (end < 0 || type !== 'blob')
      throw new RepositoryError('git-failed', `git cat-file did not give blob ${oid}`);
    const next = end + 1 + Number(size);
    // Copied, so that one file kept in memory does not keep all of them.
    blobs.set(oid, Uint8Array.prototype.slice.call(bytes, end + 1, next));
    at = next + 1;
  }
  return blobs;
}

function contentOf(entry: Entry, blobs: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const content = blobs.get(entry.oid);
  if (content?.byteLength === entry.size) return content;
  throw new RepositoryError('git-failed', `The content of ${entry.path} could not be read from the mirror.`);
}

function tooLarge(treeish: string, what: string, limit: string): RepositoryError {
  return new RepositoryError(
    'too-large',
    `Commit ${treeish} holds ${what}, over the limit of ${limit}. Keep large or generated files out of the infrastructure repository.`,
  );
}
