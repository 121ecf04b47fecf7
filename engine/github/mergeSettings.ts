import type { GitHubClient, Repo } from './client.ts';
import { calling } from './errors.ts';
import type { MergeMethod } from './pulls.ts';

/** What a repository's settings say of merges; undefined: GitHub shows it to nobody who may not write there. */
export interface MergeSettings {
  readonly methods: readonly MergeMethod[] | undefined;
  /** What the body of such a commit is made of, in GitHub's words. */
  readonly squashMessage: string | undefined;
  readonly mergeMessage: string | undefined;
}

/** Throws `GitHubError`. */
export function mergeSettings(client: GitHubClient, repo: Repo): Promise<MergeSettings> {
  return calling(`Reading the settings of ${repo.owner}/${repo.name}`, async () => {
    const { data } = await client.octokit.repos.get({ owner: repo.owner, repo: repo.name });
    const allows = {
      merge: data.allow_merge_commit,
      squash: data.allow_squash_merge,
      rebase: data.allow_rebase_merge,
    };
    const methods = (['merge', 'squash', 'rebase'] as const).filter((method) => allows[method] === true);
    return {
      methods: Object.values(allows).includes(undefined) ? undefined : methods,
      squashMessage: data.squash_merge_commit_message,
      mergeMessage: data.merge_commit_message,
    };
  });
}
