import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
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
 * Reads an infrastructure repository from a directory, without following links and without
 * folders that begin with a dot, except those that may hold the policy and its owners. Of a file that is too large, one byte more than is allowed is read, so that the
 * error comes where the file is used. Throws `TreeError` where the path is not there or holds too much.
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
      if (isRead(entry.name, folder)) await readFolder(tree, path, depth + 1);
    } else if (entry.isFile()) await readOne(tree, path);
  }
}

/** Below the root, where policy.ts looks. */
const DOTTED = ['.doaas', '.github'];

function isRead(name: string, folder: string): boolean {
  if (name === 'node_modules') return false;
  return !name.startsWith('.') || (folder === '' && DOTTED.includes(name));
}

async function readOne(tree: MutableTree, path: string): Promise<void> {
  const bytes = await readBounded(join(tree.root, path));
  tree.bytes += bytes.length;
  if (tree.bytes > 2 * MAX_PAYLOAD_BYTES) {
    throw new TreeError(`${tree.root} holds more than ${(2 * MAX_PAYLOAD_BYTES) / 1024 / 1024} MiB.`);
  }
  tree.files.set(path, bytes);
}

/** At most one byte more than allowed. A link that took the file's place meanwhile is refused by the system. */
async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    const buffer = new Uint8Array(Math.min(size, MAX_SOURCE_FILE_BYTES + 1));
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
    ? 'it does not exist'
    : String(error);
}
