/**
 * Compares a host's file system at two moments, from outside: not with the engine's own facts, and not through the host.
 *
 * Only the overlay's upper folder is read: whatever is not in it is, by overlayfs, as in the base image. A path that
 * one snapshot has and the other has not is looked up in the base. A snapshot of a booted host takes some 100 ms
 * instead of hashing 300 MB. Times are not compared.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import mayDifferList from './may-differ.json' with { type: 'json' };
import { run } from './run.ts';
import { type TarEntry, tarEntries } from './tar-entries.ts';

/** One path's state; `undefined` in a snapshot's map means that the path is absent. */
export interface PathState extends Omit<TarEntry, 'path' | 'type'> {
  readonly type: Exclude<TarEntry['type'], 'hardlink'> | 'socket';
  /** Other names of the same inode, sorted. */
  readonly links: readonly string[];
}

export interface Snapshot {
  readonly baseDir: string;
  /** By absolute path inside the host: what differs, or may differ, from the base. */
  readonly changed: ReadonlyMap<string, PathState | undefined>;
}

export interface Difference {
  readonly path: string;
  /** What is not the same: `content`, `mode`, `owner`, ... or `appeared`, `disappeared`. */
  readonly what: readonly string[];
  readonly before: PathState | undefined;
  readonly after: PathState | undefined;
}

/** One entry of may-differ.json. In a pattern `*` matches within one name, `**` any depth. */
export interface MayDiffer {
  readonly pattern: string;
  readonly reason: string;
}

/** Where a host's disk is; every `LabHost` is one. */
export interface Disk {
  readonly upperDir: string;
  readonly baseDir: string;
}

/** The one committed list. */
export const MAY_DIFFER: readonly MayDiffer[] = mayDifferList;

const OVERLAY_XATTR = 'trusted.overlay.';
const OPAQUE = 'trusted.overlay.opaque';

/** The host may be running: what it writes meanwhile is in the snapshot or not. */
export async function snapshotTree(disk: Disk): Promise<Snapshot> {
  const entries = [...(await readTree(disk.upperDir)), ...(await readSockets(disk.upperDir))];
  const changed = new Map<string, PathState | undefined>();
  for (const [path, state] of withLinks(entries))
    changed.set(path, isWhiteout(state) ? undefined : plain(state));
  // What lies in the base below a deleted or replaced folder is hidden.
  const hiding = entries.filter(
    (entry) => isWhiteout(entry) || entry.type !== 'dir' || OPAQUE in entry.xattrs,
  );
  const roots = await directoriesAmong(
    disk.baseDir,
    hiding.map((entry) => absolute(entry.path)),
  );
  for (const root of roots) {
    for (const path of await pathsBelow(disk.baseDir, root))
      if (!changed.has(path)) changed.set(path, undefined);
  }
  return { baseDir: disk.baseDir, changed };
}

/** Differences that no entry of `mayDiffer` allows, sorted by path. */
export async function compareTrees(
  before: Snapshot,
  after: Snapshot,
  mayDiffer: readonly MayDiffer[] = MAY_DIFFER,
): Promise<Difference[]> {
  if (before.baseDir !== after.baseDir) throw new Error('snapshots of hosts with different base images');
  const allowed = mayDiffer.map((entry) => patternToRegExp(entry.pattern));
  const paths = [...new Set([...before.changed.keys(), ...after.changed.keys()])].filter(
    (path) => !allowed.some((pattern) => pattern.test(path)),
  );
  const onlyOne = paths.filter((path) => before.changed.has(path) !== after.changed.has(path));
  const base = await baseStates(before.baseDir, onlyOne);
  const stateIn = (snapshot: Snapshot, path: string): PathState | undefined =>
    snapshot.changed.has(path) ? snapshot.changed.get(path) : base.get(path);
  return paths.sort().flatMap((path) => {
    const [old, now] = [stateIn(before, path), stateIn(after, path)];
    const what = differing(old, now);
    return what.length > 0 ? [{ path, what, before: old, after: now }] : [];
  });
}

/** For messages of failing tests. */
export function describeDifferences(differences: readonly Difference[]): string {
  return differences.map((difference) => `${difference.path}: ${difference.what.join(', ')}`).join('\n');
}

export function differing(before: PathState | undefined, after: PathState | undefined): string[] {
  if (!before && !after) return [];
  if (!before) return ['appeared'];
  if (!after) return ['disappeared'];
  const aspects = {
    type: (state: PathState) => state.type,
    content: (state: PathState) => state.sha256,
    mode: (state: PathState) => state.mode,
    owner: (state: PathState) => `${state.uid}:${state.gid}`,
    xattrs: (state: PathState) => JSON.stringify(Object.entries(state.xattrs).sort()),
    target: (state: PathState) => state.target,
    device: (state: PathState) => state.device,
    links: (state: PathState) => state.links.join(),
  };
  return Object.entries(aspects).flatMap(([name, of]) => (of(before) === of(after) ? [] : [name]));
}

export function patternToRegExp(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^/]*' : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}

/** Only these paths when given, without what lies below them; all otherwise. */
async function readTree(dir: string, paths?: readonly string[]): Promise<TarEntry[]> {
  const only = paths ? ['--no-recursion', '--null', '--verbatim-files-from', '--files-from=-'] : ['.'];
  const options = [
    '--format=pax',
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '--acls',
    '--sort=name',
  ];
  const tar = spawn('tar', ['-c', '-f', '-', '-C', dir, ...options, ...only], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  tar.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
    // Cut at a line's start, or the rest of a line would be taken for another complaint.
    if (complaint.length > 8000)
      complaint = complaint.slice(complaint.indexOf('\n', -4000 + complaint.length) + 1);
  });
  tar.stdin.on('error', () => {});
  tar.stdin.end(paths?.map((path) => `.${path}\0`).join(''));
  const closed = once(tar, 'close');
  const entries: TarEntry[] = [];
  for await (const entry of tarEntries(tar.stdout)) entries.push(entry);
  const [code] = await closed;
  // 1: a file changed while it was read.
  if (code !== 0 && code !== 1) {
    const real = complaint.split('\n').filter((line) => line && !/No such file|previous errors/.test(line));
    if (real.length > 0) throw new Error(`tar could not read ${dir}: ${real.join('\n').slice(-4000)}`);
  }
  return entries;
}

/** tar leaves sockets out. */
async function readSockets(dir: string): Promise<(Omit<TarEntry, 'type'> & { type: 'socket' })[]> {
  const text = await run(['find', dir, '-type', 's', '-printf', '%m %U %G ./%P\\0']);
  return text
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const [mode = '', uid, gid, ...path] = line.split(' ');
      const owner = { uid: Number(uid), gid: Number(gid) };
      return { path: path.join(' '), type: 'socket', mode: Number.parseInt(mode, 8), ...owner, xattrs: {} };
    });
}

/** tar tells one name of an inode as file and the others as links to it; here all names are equal. */
function withLinks(
  entries: readonly (TarEntry | (Omit<TarEntry, 'type'> & { type: 'socket' }))[],
): Map<string, PathState> {
  const groups = new Map<string, string[]>();
  for (const entry of entries) {
    if (entry.type !== 'hardlink') continue;
    const first = absolute(entry.target ?? '');
    groups.set(first, [...(groups.get(first) ?? [first]), absolute(entry.path)]);
  }
  const states = new Map<string, PathState>();
  for (const { path, type, ...rest } of entries) {
    if (type === 'hardlink') continue;
    const names = groups.get(absolute(path)) ?? [absolute(path)];
    for (const name of names)
      states.set(name, { ...rest, type, links: names.filter((other) => other !== name).sort() });
  }
  return states;
}

function isWhiteout(entry: { readonly type: string; readonly device?: string }): boolean {
  return entry.type === 'char' && entry.device === '0:0';
}

function plain(state: PathState): PathState {
  const xattrs = Object.entries(state.xattrs).filter(([name]) => !name.startsWith(OVERLAY_XATTR));
  return { ...state, xattrs: Object.fromEntries(xattrs) };
}

/** `./a/b/` as tar writes it, `/a/b` as the host knows it. */
function absolute(path: string): string {
  return path.replace(/^\.\/?/, '/').replace(/(.)\/$/, '$1');
}

async function directoriesAmong(baseDir: string, paths: readonly string[]): Promise<string[]> {
  const states = await readTree(baseDir, paths);
  return states.filter((state) => state.type === 'dir').map((state) => absolute(state.path));
}

async function pathsBelow(baseDir: string, root: string): Promise<string[]> {
  const entries = await readdir(join(baseDir, root), { recursive: true });
  return entries.map((entry) => join(root, entry));
}

async function baseStates(baseDir: string, paths: readonly string[]): Promise<Map<string, PathState>> {
  if (paths.length === 0) return new Map();
  const names = await linkedNames(baseDir);
  // With all names of an inode tar can tell that they are one.
  const wanted = [...new Set(paths.flatMap((path) => names.get(path) ?? [path]))];
  return withLinks(await readTree(baseDir, wanted));
}

/** All names of every file in the base that has more than one. */
async function linkedNames(baseDir: string): Promise<Map<string, string[]>> {
  const text = await run(['find', baseDir, '-type', 'f', '-links', '+1', '-printf', '%i /%P\\0']);
  const groups = new Map<string, string[]>();
  for (const line of text.split('\0').filter(Boolean)) {
    const inode = line.slice(0, line.indexOf(' '));
    groups.set(inode, [...(groups.get(inode) ?? []), line.slice(line.indexOf(' ') + 1)]);
  }
  return new Map([...groups.values()].flatMap((group) => group.map((name) => [name, group])));
}
