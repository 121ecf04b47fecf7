import type { LabContext } from './context.ts';
import { gitOutput } from './git.ts';
import { fetchObjects, importFromGit, writeRef } from './mirror.ts';
import { inTurn, mirrorOf } from './repositories.ts';
import type { PullRow, RepoRow } from './rows.ts';

/** Gives a fork the branches of its parent; the emulator begins it with a history of its own. */
export async function fillFork(context: LabContext, parent: RepoRow, fork: RepoRow): Promise<void> {
  const from = await mirrorOf(context, parent);
  const to = await mirrorOf(context, fork);
  await inTurn(context, fork, async () => {
    await gitOutput(to.dir, ['fetch', '--quiet', from.dir, '+refs/heads/*:refs/heads/*']);
    await importFromGit(to, context.store);
  });
}

/** The commits of a fork's branch as GitHub has them in the parent, and their owner as the one who asked. */
export async function bringHead(context: LabContext, repo: RepoRow, pull: PullRow): Promise<void> {
  const fork = context.store.repos.get(pull.head_repo_id);
  const mirror = await mirrorOf(context, repo);
  if (fork !== undefined && fork.id !== repo.id)
    await fetchObjects(mirror, context.store, (await mirrorOf(context, fork)).dir, pull.head_sha);
  await writeRef(mirror, `refs/pull/${pull.number}/head`, pull.head_sha);
}

/** The repository that a head such as `LOGIN:BRANCH` is in; undefined when it is no fork of this one. */
export function forkOf(context: LabContext, repo: RepoRow, head: string): RepoRow | undefined {
  const login = head.split(':')[0] ?? '';
  const owner = context.store.users.findOneBy('login', login);
  return context.store.repos
    .all()
    .find((row) => row.forked_from_id === repo.id && row.owner_type === 'User' && row.owner_id === owner?.id);
}
