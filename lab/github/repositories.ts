import { join } from 'node:path';
import type { LabContext } from './context.ts';
import { createMirror, type Mirror } from './mirror.ts';
import type { RepoRow } from './rows.ts';

export function findRepo(context: LabContext, owner: string, name: string): RepoRow | undefined {
  return context.store.repos.findOneBy('full_name', `${owner}/${name}`);
}

/** Undefined for a path that is not about a repository, or about one that does not exist. */
export function repoOfPath(context: LabContext, path: string): RepoRow | undefined {
  const found = /^\/repos\/([^/]+)\/([^/?]+)/.exec(path);
  return found === null
    ? undefined
    : findRepo(context, decodeURIComponent(found[1] ?? ''), decodeURIComponent(found[2] ?? ''));
}

export function mirrorOf(context: LabContext, repo: RepoRow): Promise<Mirror> {
  const existing = context.state.mirrors.get(repo.id);
  if (existing) return existing;
  const created = createMirror(join(context.root, folderOf(repo)), repo);
  context.state.mirrors.set(repo.id, created);
  return created;
}

/** Of its mirror; a rename leaves it where it is. */
export function folderOf(repo: RepoRow): string {
  return `${repo.id}.git`;
}

/** Runs one change of a repository after the other. */
export function inTurn<T>(context: LabContext, repo: RepoRow, work: () => Promise<T>): Promise<T> {
  const before = context.state.queues.get(repo.id) ?? Promise.resolve();
  const next = before.then(work, work);
  context.state.queues.set(
    repo.id,
    next.catch(() => {}),
  );
  return next;
}
