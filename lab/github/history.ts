import type { CommitRow, Store } from './rows.ts';

/** Commits reachable from the new tip and not from the old one, newest first. */
export function newCommits(
  store: Store,
  repoId: number,
  change: { readonly before: string | undefined; readonly after: string | undefined },
): CommitRow[] {
  const find = (sha: string) => store.commits.findBy('sha', sha).find((row) => row.repo_id === repoId);
  const walk = (start: string | undefined, seen: Set<string>, stop: ReadonlySet<string>) => {
    const found: CommitRow[] = [];
    const pending = start === undefined ? [] : [start];
    for (let sha = pending.shift(); sha !== undefined; sha = pending.shift()) {
      const commit = seen.has(sha) || stop.has(sha) ? undefined : find(sha);
      seen.add(sha);
      if (commit === undefined) continue;
      found.push(commit);
      pending.push(...commit.parent_shas);
    }
    return found;
  };
  const known = new Set<string>();
  walk(change.before, known, new Set());
  return walk(change.after, new Set(), known);
}
