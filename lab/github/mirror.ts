import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { gitOutput, gitText } from './git.ts';
import {
  commitContent,
  type GitObject,
  type ObjectType,
  objectOf,
  parseCommit,
  parseTree,
  treeContent,
} from './git-objects.ts';
import type { RepoRow, Store } from './rows.ts';

const compress = promisify(deflate);

/** A bare repository that holds the same objects and references as the emulator's store. */
export interface Mirror {
  readonly dir: string;
  readonly repoId: number;
  /** Objects that both sides have. */
  readonly known: Set<string>;
  /** Folders of objects that exist. */
  readonly folders: Set<string>;
  /** Branches and tags that both sides have: full name to object id. */
  readonly refs: Map<string, string>;
}

export interface RefChange {
  readonly ref: string;
  /** Undefined for a created reference. */
  readonly before: string | undefined;
  /** Undefined for a deleted reference. */
  readonly after: string | undefined;
}

/** Object files written side by side. */
const WRITES_AT_ONCE = 16;

const CONFIG = `[core]
\trepositoryformatversion = 0
\tbare = true
\tfsync = none
[gc]
\tauto = 0
[http]
\treceivepack = true
[uploadpack]
\tallowReachableSHA1InWant = true
\tallowAnySHA1InWant = true
\tallowFilter = true
[receive]
\thideRefs = refs/pull
\tautogc = false
`;

export async function createMirror(dir: string, repo: RepoRow): Promise<Mirror> {
  await mkdir(join(dir, 'objects'), { recursive: true });
  await mkdir(join(dir, 'refs', 'heads'), { recursive: true });
  await writeFile(join(dir, 'HEAD'), `ref: refs/heads/${repo.default_branch}\n`);
  await writeFile(join(dir, 'config'), CONFIG);
  return { dir, repoId: repo.id, known: new Set(), folders: new Set(), refs: new Map() };
}

/** Brings git up to the store; gives what changed, deletions first. */
export async function exportToGit(mirror: Mirror, store: Store): Promise<RefChange[]> {
  const wanted = new Map(store.refs.findBy('repo_id', mirror.repoId).map((row) => [row.ref, row.sha]));
  const changes = differences(mirror.refs, wanted);
  for (const change of changes) {
    if (change.after !== undefined) await writeReachable(mirror, store, change.after);
    await writeRef(mirror, change.ref, change.after);
    remember(mirror, change);
  }
  return changes;
}

/** Brings the store up to git, after a push or a merge made by git; gives what changed. */
export async function importFromGit(mirror: Mirror, store: Store): Promise<RefChange[]> {
  const listed = await gitText(mirror.dir, [
    'for-each-ref',
    '--format=%(objectname) %(refname)',
    'refs/heads',
    'refs/tags',
  ]);
  const lines = listed.split('\n').filter(Boolean);
  const wanted = new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)] as const));
  const changes = differences(mirror.refs, wanted);
  await readReachable(
    mirror,
    store,
    changes.flatMap((change) => change.after ?? []),
  );
  for (const change of changes) {
    setStoredRef(store, mirror.repoId, change);
    remember(mirror, change);
  }
  return changes;
}

function differences(have: ReadonlyMap<string, string>, want: ReadonlyMap<string, string>): RefChange[] {
  const gone = [...have.keys()].filter((ref) => !want.has(ref));
  const moved = [...want].filter(([ref, sha]) => have.get(ref) !== sha);
  return [
    ...gone.map((ref) => ({ ref, before: have.get(ref), after: undefined })),
    ...moved.map(([ref, sha]) => ({ ref, before: have.get(ref), after: sha })),
  ];
}

function remember(mirror: Mirror, change: RefChange): void {
  if (change.after === undefined) mirror.refs.delete(change.ref);
  else mirror.refs.set(change.ref, change.after);
}

/** Writes or removes one reference file (the lab's repositories never pack references). */
export async function writeRef(mirror: Mirror, ref: string, sha: string | undefined): Promise<void> {
  const path = join(mirror.dir, ref);
  if (sha === undefined) return rm(path, { force: true });
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.new-${process.hrtime.bigint()}`;
  await writeFile(temporary, `${sha}\n`);
  await rename(temporary, path);
}

export async function writeObject(mirror: Mirror, object: GitObject): Promise<void> {
  if (mirror.known.has(object.sha)) return;
  const folder = join(mirror.dir, 'objects', object.sha.slice(0, 2));
  if (!mirror.folders.has(folder)) await mkdir(folder, { recursive: true });
  mirror.folders.add(folder);
  const header = Buffer.from(`${object.type} ${object.content.byteLength}\0`);
  const temporary = join(folder, `tmp_obj_${process.hrtime.bigint()}`);
  await writeFile(temporary, await compress(Buffer.concat([header, object.content])));
  await rename(temporary, join(folder, object.sha.slice(2)));
  mirror.known.add(object.sha);
}

async function writeReachable(mirror: Mirror, store: Store, start: string): Promise<void> {
  const found = new Map<string, GitObject>();
  const pending = [start];
  for (let sha = pending.pop(); sha !== undefined; sha = pending.pop()) {
    if (mirror.known.has(sha) || found.has(sha)) continue;
    const { object, next } = storedObject(store, mirror.repoId, sha);
    if (object.sha !== sha) throw new Error(`${object.type} ${sha} serialises to ${object.sha}`);
    found.set(sha, object);
    pending.push(...next);
  }
  const objects = [...found.values()];
  for (let at = 0; at < objects.length; at += WRITES_AT_ONCE) {
    await Promise.all(objects.slice(at, at + WRITES_AT_ONCE).map((object) => writeObject(mirror, object)));
  }
}

function storedObject(store: Store, repoId: number, sha: string): { object: GitObject; next: string[] } {
  const own = <T extends { repo_id: number }>(rows: T[]) => rows.find((row) => row.repo_id === repoId);
  const commit = own(store.commits.findBy('sha', sha));
  if (commit) {
    return {
      object: objectOf('commit', commitContent(commit)),
      next: [commit.tree_sha, ...commit.parent_shas],
    };
  }
  const tree = own(store.trees.findBy('sha', sha));
  if (tree) {
    const next = tree.tree.filter((entry) => entry.type !== 'commit').map((entry) => entry.sha);
    return { object: objectOf('tree', treeContent(tree.tree)), next };
  }
  const blob = own(store.blobs.findBy('sha', sha));
  if (blob === undefined) throw new Error(`object ${sha} is in no table of the emulator`);
  const content = Buffer.from(blob.content, blob.encoding === 'base64' ? 'base64' : 'utf8');
  return { object: objectOf('blob', content), next: [] };
}

/** Reads into the store every object that only git has, reachable from the given ones. */
async function readReachable(mirror: Mirror, store: Store, starts: readonly string[]): Promise<void> {
  const fresh = starts.filter((sha) => !mirror.known.has(sha));
  if (fresh.length === 0) return;
  const tips = [...mirror.refs.values()].filter((sha) => mirror.known.has(sha)).map((sha) => `^${sha}`);
  const listed = await gitText(mirror.dir, ['rev-list', '--objects', '--stdin'], {
    input: [...fresh, ...new Set(tips)].join('\n'),
  });
  const shas = listed.split('\n').map((line) => line.slice(0, 40));
  const wanted = shas.filter((sha) => sha !== '' && !mirror.known.has(sha));
  for (const object of await readObjects(mirror.dir, wanted)) {
    storeObject(store, mirror.repoId, object);
    mirror.known.add(object.sha);
  }
}

/** Takes a commit over from another repository's folder, into git and into the store. */
export async function fetchObjects(
  mirror: Mirror,
  store: Store,
  from: string,
  commit: string,
): Promise<void> {
  if (mirror.known.has(commit)) return;
  await gitOutput(mirror.dir, ['fetch', '--quiet', '--no-write-fetch-head', from, commit]);
  await readReachable(mirror, store, [commit]);
}

export async function readObjects(dir: string, shas: readonly string[]): Promise<GitObject[]> {
  const output = await gitOutput(dir, ['cat-file', '--batch'], { input: `${shas.join('\n')}\n` });
  const objects: GitObject[] = [];
  let at = 0;
  while (at < output.length) {
    const lineEnd = output.indexOf(0x0a, at);
    const [sha = '', type = '', size = '0'] = output.toString('latin1', at, lineEnd).split(' ');
    const content = output.subarray(lineEnd + 1, lineEnd + 1 + Number(size));
    if (isObjectType(type)) objects.push({ type, sha, content });
    at = lineEnd + 1 + Number(size) + 1;
  }
  return objects;
}

function isObjectType(type: string): type is ObjectType {
  return type === 'blob' || type === 'tree' || type === 'commit' || type === 'tag';
}

function storeObject(store: Store, repoId: number, object: GitObject): void {
  const common = { repo_id: repoId, sha: object.sha, node_id: `L_${object.sha}` };
  if (object.type === 'commit') {
    store.commits.insert({ ...common, ...parseCommit(object.content), user_id: null });
  } else if (object.type === 'tree') {
    store.trees.insert({ ...common, tree: parseTree(object.content), truncated: false });
  } else if (object.type === 'blob') {
    const text = object.content.toString('utf8');
    const isText = !text.includes('\0') && Buffer.from(text).equals(object.content);
    store.blobs.insert({
      ...common,
      content: isText ? text : object.content.toString('base64'),
      encoding: isText ? 'utf-8' : 'base64',
      size: object.content.byteLength,
    });
  }
}

const HEADS = 'refs/heads/';

function setStoredRef(store: Store, repoId: number, change: RefChange): void {
  const { ref, after } = change;
  const row = store.refs.findBy('repo_id', repoId).find((candidate) => candidate.ref === ref);
  if (after === undefined && row) store.refs.delete(row.id);
  else if (after !== undefined && row) store.refs.update(row.id, { sha: after });
  else if (after !== undefined)
    store.refs.insert({ repo_id: repoId, ref, sha: after, node_id: `R_${after}` });
  if (!ref.startsWith(HEADS)) return;
  const name = ref.slice(HEADS.length);
  const branch = store.branches.findBy('repo_id', repoId).find((candidate) => candidate.name === name);
  if (after === undefined && branch) store.branches.delete(branch.id);
  else if (after !== undefined && branch) store.branches.update(branch.id, { sha: after });
  else if (after !== undefined)
    store.branches.insert({ repo_id: repoId, name, sha: after, protected: false });
}
