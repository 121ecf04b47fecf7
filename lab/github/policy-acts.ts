import type { Accounts } from './accounts.ts';
import type { Acting, RepositoryName } from './acting.ts';
import { senderOf } from './changes.ts';
import type { LabContext, OtherApp } from './context.ts';
import { callEmulator, callJson } from './internal.ts';
import { asJson, type Json, parseJson } from './json.ts';
import { findRepo } from './repositories.ts';
import type { RepoRow } from './rows.ts';

/** The App of GitHub Actions, for checks that are not the engine's. */
const ACTIONS: OtherApp = { id: 15_368, slug: 'github-actions', name: 'GitHub Actions' };
/** Of all others that the lab knows by their name only. */
const ANY_APP_ID = 777_777;

/** Whose account was deleted. */
const NOBODY = -1;

type PolicyActs = Pick<
  Acting,
  | 'createTeam'
  | 'leaveTeam'
  | 'postCheck'
  | 'postStatus'
  | 'makeFork'
  | 'renameAccount'
  | 'forgetAuthor'
  | 'protect'
  | 'setMergeMethods'
>;

/** What policies look at: teams, checks of others, forks; and GitHub's own rules for a merge. */
export function policyActs(context: LabContext, owner: string, accounts: Accounts): PolicyActs {
  const admin = { authorization: `token ${accounts.admin.token}`, 'content-type': 'application/json' };
  const send = async (method: string, path: string, body: Json = {}): Promise<Json> => {
    const call = { method, path, headers: admin, body: Buffer.from(JSON.stringify(body)) };
    const found = await callEmulator(context, call);
    if (found.status >= 300) throw new Error(`${method} ${path}: the lab answered ${found.status}`);
    return asJson(parseJson(found.body));
  };
  const rowOf = (repo: RepositoryName): RepoRow => {
    const row = findRepo(context, repo.owner, repo.name);
    if (row === undefined) throw new Error(`the lab has no repository ${repo.owner}/${repo.name}`);
    return row;
  };
  const pullOf = (repo: RepositoryName, number: number) => {
    const rows = context.store.pullRequests.findBy('repo_id', rowOf(repo).id);
    const pull = rows.find((row) => row.number === number);
    if (pull === undefined) throw new Error(`${repo.name} has no pull request ${number}`);
    return pull;
  };
  const membership = (slug: string, login: string) => `/orgs/${owner}/teams/${slug}/memberships/${login}`;
  return {
    createTeam: async (slug, members) => {
      await send('POST', `/orgs/${owner}/teams`, { name: slug });
      for (const { login } of members) await send('PUT', membership(slug, login));
    },
    leaveTeam: async (slug, { login }) => {
      await send('DELETE', membership(slug, login));
    },
    postCheck: async (repo, sha, name, conclusion, slug = ACTIONS.slug) => {
      const app = slug === ACTIONS.slug ? ACTIONS : { id: ANY_APP_ID, slug, name: slug };
      const path = `/repos/${repo.owner}/${repo.name}`;
      const made = await send('POST', `${path}/check-runs`, {
        name,
        head_sha: sha,
        status: 'completed',
        conclusion,
      });
      context.state.otherRuns.set(Number(made.id), app);
      const [repository, sender] = [
        await callJson(context, path),
        await senderOf(context, accounts.admin.login),
      ];
      const pulls = context.store.pullRequests.findBy('repo_id', rowOf(repo).id);
      const pull_requests = pulls.filter(
        (pull) => pull.state === 'open' && pull.head_sha === sha && !context.state.forks.has(pull.id),
      );
      const suite = { head_sha: sha, status: 'completed', conclusion, app, pull_requests };
      const installation = { id: context.installationId };
      const payload = { action: 'completed', check_suite: suite, repository, sender, installation };
      context.deliveries.emit('check_suite', 'completed', payload);
    },
    postStatus: async (repo, sha, name, state, by) => {
      const creator =
        typeof by === 'string'
          ? { login: `${by}[bot]`, id: ANY_APP_ID, type: 'Bot' }
          : await senderOf(context, by.login);
      const made = { context: name, state, creator, created_at: new Date().toISOString() };
      const key = `${rowOf(repo).id}:${sha}`;
      context.state.statuses.set(key, [made, ...(context.state.statuses.get(key) ?? [])]);
      const repository = await callJson(context, `/repos/${repo.owner}/${repo.name}`);
      const installation = { id: context.installationId };
      const payload = { sha, name: repository.full_name, context: name, state, repository, sender: creator };
      context.deliveries.emit('status', undefined, { ...payload, branches: [], installation });
    },
    renameAccount: async (user, login) => {
      const { store, emulator } = context;
      const row = store.users.findOneBy('login', user.login);
      const known = emulator.tokens.get(user.token);
      if (row === undefined || known === undefined) throw new Error(`the lab has no account ${user.login}`);
      store.users.update(row.id, { login });
      emulator.tokens.set(user.token, { ...known, login });
      return { ...user, login };
    },
    forgetAuthor: async (repo, number) => {
      context.store.pullRequests.update(pullOf(repo, number).id, { user_id: NOBODY });
    },
    protect: async (repo, contexts, strict = false) => {
      const { default_branch, full_name } = rowOf(repo);
      const rules = { required_status_checks: { strict, contexts } };
      await send('PUT', `/repos/${full_name}/branches/${default_branch}/protection`, rules);
    },
    setMergeMethods: async (repo, methods) => {
      await send('PATCH', `/repos/${rowOf(repo).full_name}`, {
        allow_merge_commit: methods.includes('merge'),
        allow_squash_merge: methods.includes('squash'),
        allow_rebase_merge: methods.includes('rebase'),
      });
    },
    makeFork: async (repo, number, fork) => {
      const { id } = pullOf(repo, number);
      context.store.pullRequests.update(id, { head_repo_id: rowOf(fork).id });
      context.state.forks.add(id);
    },
  };
}
