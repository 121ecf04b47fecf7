import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_PAYLOAD_BYTES, MAX_SOURCE_FILE_BYTES } from '../spec/limits.ts';

/** Files, folders and links looked at. */
const MAX_ENTRIES = 100_000;
/** Folders within folders. */
const MAX_DEPTH = 64;

export interface Tree {
  /** By path from the root, with `/`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Paths of symbolic links, which are not followed. */
  readonly links: ReadonlySet<string>;
}

export class TreeError extends Error {
  readonly type = 'tree-unreadable';
}

/**
 * Reads an infrastructure repository from a directory (or one file of it), without following links and without
 * folders that begin with a dot. A file that is too large keeps one byte more than is allowed, so that the error
 * says so where it matters. Throws `TreeError` where the path is not there or holds too much.
 */
export async function readTree(root: string): Promise<Tree> {
  const tree: MutableTree = { root, files: new Map(), links: new Set(), entries: 0, bytes: 0 };
  const stats = await lstat(root).catch((error: unknown) => {
    throw new TreeError(`${root} cannot be read: ${reason(error)}.`);
  });
  if (!stats.isDirectory())
    throw new TreeError(`${root} is not a directory; give the root of the repository.`);
  await readFolder(tree, '', 0);
  return { files: tree.files, links: tree.links };
}

interface MutableTree {
  readonly root: string;
  readonly files: Map<string, Uint8Array>;
  readonly links: Set<string>;
  entries: number;
  bytes: number;
}

async function readFolder(tree: MutableTree, folder: string, depth: number): Promise<void> {
  if (depth > MAX_DEPTH) throw new TreeError(`${folder} lies more than ${MAX_DEPTH} folders deep.`);
  const entries = await readdir(join(tree.root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (++tree.entries > MAX_ENTRIES)
      throw new TreeError(`${tree.root} has more than ${MAX_ENTRIES} entries.`);
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isSymbolicLink()) tree.links.add(path);
    else if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && entry.name !== 'node_modules')
        await readFolder(tree, path, depth + 1);
    } else if (entry.isFile()) await readOne(tree, path);
  }
}

async function readOne(tree: MutableTree, path: string): Promise<void> {
  const { size } = await lstat(join(tree.root, path));
  if (size > MAX_SOURCE_FILE_BYTES) {
    tree.files.set(path, new Uint8Array(MAX_SOURCE_FILE_BYTES + 1));
    return;
  }
  tree.bytes += size;
  if (tree.bytes > 2 * MAX_PAYLOAD_BYTES) {
    throw new TreeError(`${tree.root} holds more than ${(2 * MAX_PAYLOAD_BYTES) / 1024 / 1024} MiB.`);
  }
  tree.files.set(path, await readFile(join(tree.root, path)));
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
    ? 'it does not exist'
    : String(error);
}
