import { expect, test } from 'vitest';
import { coveredRepositories } from './repositories.ts';

/** An installation with so many repositories, as GitHub pages them. `fail`: what it answers instead. */
function covered(repositories: number, fail?: Error) {
  const listReposAccessibleToInstallation = async ({ page }: { readonly page: number }) => {
    if (fail !== undefined) throw fail;
    const ids = Array.from({ length: 100 }, (_, i) => (page - 1) * 100 + i + 1);
    const all = ids
      .filter((id) => id <= repositories)
      .map((id) => ({
        id,
        name: `r${id}`,
        owner: { login: 'acme' },
        default_branch: 'main',
        archived: false,
      }));
    return { data: { repositories: all } };
  };
  const octokit = { apps: { listReposAccessibleToInstallation } };
  const client = { octokit, installationId: 7 };
  const github = { installations: async () => [7], installationClient: async () => client };
  return coveredRepositories(github as unknown as Parameters<typeof coveredRepositories>[0]);
}

const answered = (status: number) =>
  Object.assign(new Error('no'), { status, response: { status, headers: {} } });

test('all repositories of a large installation are known, since what is not among them counts as lost', async () => {
  const all = await covered(2_050);
  expect(all).toHaveLength(2_050);
  expect(all.at(-1)).toMatchObject({ id: 2_050, owner: 'acme', installationId: 7 });
});

test('a list without an end, and an answer that says nothing of the installation, are no empty list', async () => {
  await expect(covered(Number.POSITIVE_INFINITY)).rejects.toMatchObject({ type: 'github-refused' });
  await expect(covered(1, answered(422))).rejects.toMatchObject({ type: 'github-refused' });
  await expect(covered(1, answered(502))).rejects.toMatchObject({ type: 'github-unavailable' });
  expect(await covered(1, answered(403))).toEqual([]);
});
