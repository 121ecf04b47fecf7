import { expect, test } from 'vitest';
import { coveredRepositories } from './repositories.ts';

type Fail = Error | ((installation: number) => Error | undefined);

/** Installations with so many repositories each, as GitHub pages them. `fail`: what it answers instead. */
function covered(repositories: number, fail?: Fail, installations: readonly number[] = [7]) {
  const list = async (installation: number, page: number) => {
    const failure = typeof fail === 'function' ? fail(installation) : fail;
    if (failure !== undefined) throw failure;
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
  const client = (installationId: number) => {
    const listReposAccessibleToInstallation = ({ page }: { readonly page: number }) =>
      list(installationId, page);
    return { octokit: { apps: { listReposAccessibleToInstallation } }, installationId };
  };
  const github = {
    installations: async () => installations,
    installationClient: async (id: number) => client(id),
  };
  return coveredRepositories(github as unknown as Parameters<typeof coveredRepositories>[0]);
}

const answered = (status: number) =>
  Object.assign(new Error('no'), { status, response: { status, headers: {} } });

test('all repositories of a large installation are known, since what is not among them counts as lost', async () => {
  const { repositories: all, unread } = await covered(2_050);
  expect(all).toHaveLength(2_050);
  expect(all.at(-1)).toMatchObject({ id: 2_050, owner: 'acme', installationId: 7 });
  expect(unread).toEqual([]);
});

test('a list without an end, and an answer that says nothing of the installation, are no empty list', async () => {
  const unread = (type: string) => ({ unread: [{ installationId: 7, reason: { type } }] });
  expect(await covered(Number.POSITIVE_INFINITY)).toMatchObject(unread('github-refused'));
  expect(await covered(1, answered(422))).toMatchObject(unread('github-refused'));
  expect(await covered(1, answered(502))).toMatchObject(unread('github-unavailable'));
  expect(await covered(1, answered(403))).toEqual({ repositories: [], unread: [] });
});

test('an installation whose limit is used up is in the way of no other', async () => {
  const limited = (installation: number) => (installation === 7 ? answered(429) : undefined);
  const { repositories, unread } = await covered(3, limited, [6, 7, 8]);
  expect(repositories.map(({ installationId }) => installationId)).toEqual([6, 6, 6, 8, 8, 8]);
  expect(unread).toMatchObject([{ installationId: 7, reason: { type: 'github-rate-limited' } }]);
});
