import type { Accounts } from './accounts.ts';
import type { Acting, RepositoryName } from './acting.ts';
import { announce, emitPull, senderOf } from './changes.ts';
import type { LabContext } from './context.ts';
import { callJson } from './internal.ts';
import type { Json } from './json.ts';
import { exportToGit } from './mirror.ts';
import { findRepo, inTurn, mirrorOf } from './repositories.ts';
import type { InstallationRow, RepoRow } from './rows.ts';
import { installationOf } from './standing.ts';

type LifeActs = Pick<
  Acting,
  | 'renameRepository'
  | 'transferRepository'
  | 'setArchived'
  | 'deleteRepository'
  | 'renameDefaultBranch'
  | 'setDefaultBranch'
  | 'suspendApp'
  | 'unsuspendApp'
  | 'uninstallApp'
  | 'installApp'
  | 'coverRepository'
  | 'setAppPermissions'
  | 'analyses'
  | 'setCodeScanning'
  | 'delayCodeScanning'
>;

/** What becomes of repositories and installations in the course of time, with the events that GitHub sends of it. */
export function lifeActs(context: LabContext, owner: string, accounts: Accounts): LifeActs {
  const { store, state } = context;
  const rowOf = (repo: RepositoryName): RepoRow => {
    const row = findRepo(context, repo.owner, repo.name);
    if (row === undefined) throw new Error(`the lab has no repository ${repo.owner}/${repo.name}`);
    return row;
  };
  const sender = () => senderOf(context, accounts.admin.login);
  const tell = async (row: RepoRow, action: string, more: Json = {}): Promise<void> => {
    const repository = await callJson(context, `/repos/${row.full_name}`);
    const payload = { action, repository, sender: await sender(), ...more };
    context.deliveries.emit('repository', action, context.complete('repository', payload));
  };
  const call = async (row: RepoRow, change: Partial<RepoRow>): Promise<RepoRow> => {
    const full_name = change.full_name ?? row.full_name;
    state.formerNames.set(row.full_name.toLowerCase(), row.id);
    state.formerNames.delete(full_name.toLowerCase());
    return store.repos.update(row.id, change) ?? row;
  };
  const installation = (): InstallationRow => {
    const found = store.appInstallations.findOneBy('installation_id', context.installationId);
    if (found === undefined) throw new Error('the App is not installed');
    return found;
  };
  const tellApp = async (action: string, row: InstallationRow): Promise<void> => {
    const account = { login: owner, id: row.account_id, type: row.account_type };
    const details = { id: row.installation_id, account, app_id: row.app_id, suspended_at: row.suspended_at };
    const payload = { action, installation: details, repositories: [], sender: await sender() };
    context.deliveries.emit('installation', action, payload);
  };
  return {
    renameRepository: async (repo, name) => {
      const renamed = await call(rowOf(repo), { name, full_name: `${repo.owner}/${name}` });
      await tell(renamed, 'renamed', { changes: { repository: { name: { from: repo.name } } } });
      return { owner: repo.owner, name };
    },
    transferRepository: async (repo, to) => {
      const org = store.orgs.findOneBy('login', to);
      const user = store.users.findOneBy('login', to);
      const account = org ?? user;
      if (account === undefined) throw new Error(`the lab knows nobody who is called ${to}`);
      const owner_type = org === undefined ? 'User' : 'Organization';
      const full_name = `${to}/${repo.name}`;
      const moved = await call(rowOf(repo), { owner_id: account.id, owner_type, full_name });
      const from = { organization: { login: repo.owner } };
      // GitHub tells only the App of the new owner
      if (installationOf(store, moved) !== undefined)
        await tell(moved, 'transferred', { changes: { owner: { from } } });
      return { owner: to, name: repo.name };
    },
    setArchived: async (repo, archived) => {
      const row = rowOf(repo);
      store.repos.update(row.id, { archived });
      await tell(row, archived ? 'archived' : 'unarchived');
    },
    deleteRepository: async (repo) => {
      const row = rowOf(repo);
      const repository = await callJson(context, `/repos/${row.full_name}`);
      store.repos.delete(row.id);
      const payload = { action: 'deleted', repository, sender: await sender() };
      context.deliveries.emit('repository', 'deleted', context.complete('repository', payload));
    },
    renameDefaultBranch: async (repo, to) => {
      const row = rowOf(repo);
      const from = row.default_branch;
      await inTurn(context, row, async () => {
        const mirror = await mirrorOf(context, row);
        await exportToGit(mirror, store);
        const heads = store.refs.findBy('repo_id', row.id).find(({ ref }) => ref === `refs/heads/${from}`);
        if (heads === undefined) throw new Error(`${row.full_name} has no branch ${from}`);
        const branch = store.branches.findBy('repo_id', row.id).find(({ name }) => name === from);
        const retargeted = store.pullRequests
          .findBy('repo_id', row.id)
          .filter((pull) => pull.base_ref === from && pull.state === 'open');
        store.refs.update(heads.id, { ref: `refs/heads/${to}` });
        if (branch !== undefined) store.branches.update(branch.id, { name: to });
        for (const pull of retargeted) store.pullRequests.update(pull.id, { base_ref: to });
        store.repos.update(row.id, { default_branch: to });
        await announce(context, mirror, row, await exportToGit(mirror, store), accounts.admin.login);
        await tell(row, 'edited', { changes: { default_branch: { from } } });
        const scene = {
          repository: await callJson(context, `/repos/${row.full_name}`),
          sender: await sender(),
        };
        for (const { number } of retargeted)
          await emitPull(context, row, number, 'edited', scene, { changes: { base: { ref: { from } } } });
      });
    },
    setDefaultBranch: async (repo, to) => {
      const row = rowOf(repo);
      const from = row.default_branch;
      store.repos.update(row.id, { default_branch: to });
      await tell(row, 'edited', { changes: { default_branch: { from } } });
    },
    suspendApp: async () => {
      const row = installation();
      const suspended_at = new Date().toISOString();
      await tellApp('suspend', store.appInstallations.update(row.id, { suspended_at }) ?? row);
    },
    unsuspendApp: async () => {
      const row = installation();
      await tellApp('unsuspend', store.appInstallations.update(row.id, { suspended_at: null }) ?? row);
    },
    uninstallApp: async () => {
      const row = installation();
      store.appInstallations.delete(row.id);
      for (const [token, user] of context.emulator.tokens)
        if (user.installation?.installationId === row.installation_id) context.emulator.tokens.delete(token);
      state.uninstalled = row;
      await tellApp('deleted', row);
    },
    installApp: async () => {
      const { id: _, created_at: __, updated_at: ___, ...before } = state.uninstalled ?? installation();
      state.installationId += 1_000;
      const made = store.appInstallations.insert({ ...before, installation_id: state.installationId });
      await tellApp('created', made);
    },
    coverRepository: async (repo, covered) => {
      const row = rowOf(repo);
      store.repos.update(row.id, { without_app: !covered });
      const { id, name, full_name, private: isPrivate } = row;
      const named = [{ id, name, full_name, private: isPrivate }];
      const action = covered ? 'added' : 'removed';
      context.deliveries.emit('installation_repositories', action, {
        action,
        installation: { id: installation().installation_id },
        repository_selection: 'selected',
        repositories_added: covered ? named : [],
        repositories_removed: covered ? [] : named,
        sender: await sender(),
      });
    },
    analyses: (repo) => state.analyses.get(rowOf(repo).id) ?? [],
    setCodeScanning: (repo, on) => {
      if (on) state.withoutCodeScanning.delete(rowOf(repo).id);
      else state.withoutCodeScanning.add(rowOf(repo).id);
    },
    delayCodeScanning: (repo, looks) => void state.pendingLooks.set(rowOf(repo).id, looks),
    setAppPermissions: async (permissions) => {
      const changed = Object.entries(permissions);
      const granted = changed.filter(([, level]) => level !== 'none');
      const before = installation().permissions;
      for (const row of store.appInstallations.all()) {
        const kept = Object.entries(row.permissions).filter(([name]) => permissions[name] === undefined);
        store.appInstallations.update(row.id, { permissions: Object.fromEntries([...kept, ...granted]) });
      }
      const more = granted.some(([name, level]) => before[name] !== level && before[name] !== 'write');
      if (more) await tellApp('new_permissions_accepted', installation());
    },
  };
}
