import { join } from 'node:path';
import type { GitHub } from '../github/client.ts';
import { recordName } from '../github/workflowIds.ts';
import { type Mirror, openMirror } from '../repository/mirror.ts';
import type { RunGit } from '../repository/runGit.ts';
import type { RevisionSource } from './revisions.ts';
import type { RepositoryRef } from './types.ts';

export interface MirrorsOptions {
  readonly dataDir: string;
  /** Base of clone URLs, such as https://github.com. */
  readonly githubUrl: string;
  readonly github: Pick<GitHub, 'installationToken'>;
  readonly git: RunGit;
}

/** One bare mirror a repository, opened at first use. Its folder stays where it is when the repository is renamed. */
export function createMirrors(options: MirrorsOptions): RevisionSource {
  const mirrors = new Map<string, Promise<Mirror>>();
  const mirrorOf = (repository: RepositoryRef): Promise<Mirror> => {
    const url = `${options.githubUrl.replace(/\/$/, '')}/${safe(repository.owner)}/${safe(repository.name)}.git`;
    const folder = recordName(repository).split('/').map(safe).join('/');
    const reached = `${folder} ${url} ${repository.installationId}`;
    const known = mirrors.get(reached);
    if (known !== undefined) return known;
    const fresh = openMirror({
      dir: join(options.dataDir, 'mirrors', `${folder}.git`),
      url,
      run: options.git,
      token: async () => (await options.github.installationToken(repository.installationId)).reveal(),
    });
    mirrors.set(reached, fresh);
    fresh.catch(() => mirrors.delete(reached));
    return fresh;
  };
  return {
    fetch: async (repository, commits, number) => {
      const mirror = await mirrorOf(repository);
      const refs = number === undefined ? [] : [`refs/pull/${number}/head`];
      for (const commit of commits) await mirror.fetchCommit(commit, refs);
    },
    mergedTree: async (repository, { baseSha, headSha }) =>
      (await mirrorOf(repository)).mergedTree(baseSha, headSha),
    treeOf: async (repository, commit) => (await mirrorOf(repository)).treeOf(commit),
    changedPaths: async (repository, from, to) => (await mirrorOf(repository)).changedPaths(from, to),
    mergeBases: async (repository, { baseSha, headSha }) =>
      (await mirrorOf(repository)).mergeBases(baseSha, headSha),
    read: async (repository, treeish) => (await mirrorOf(repository)).readTree(treeish),
  };
}

/** GitHub's own rule for names of owners and repositories (and an id behind one); also what keeps them inside the data folder. */
function safe(name: string): string {
  if (!/^[A-Za-z0-9_.-]{1,100}(@\d{1,16})?$/.test(name) || name === '.' || name === '..') {
    throw new Error(`not the name of a GitHub owner or repository: ${JSON.stringify(name.slice(0, 100))}`);
  }
  return name;
}
