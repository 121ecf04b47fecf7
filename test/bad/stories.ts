import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import { openStore, type Store } from '../../engine/store/store.ts';
import type { RepositoryName } from '../../lab/github/acting.ts';
import { until } from '../until.ts';
import { serverYaml, verbsOf, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

interface Opened {
  readonly pull: number;
  readonly sha: string;
}

/** Stories of pull requests and their runs, each in a repository of its own, on the first host if not said. */
export function storyVerbs(world: () => World) {
  const on = async (script: string, host = 0): Promise<string> =>
    (await world().hosts[host]?.exec(script))?.stdout.trim() ?? '';
  const file = (name: string, content = name): Record<string, string> => ({
    [`${name}.yaml`]: configuration(name, { files: { [`/etc/doaas-${name}`]: { content: `${content}\n` } } }),
  });
  const isOn = (name: string, host = 0) => on(`cat /etc/doaas-${name} 2>/dev/null`, host);
  /** Waits in its apply until the test lets it go on; beside it a file that a rollback takes away again. */
  const waits = (name: string): Record<string, string> => ({
    [`${name}.yaml`]: configuration(name, {
      files: { [`/etc/doaas-${name}`]: { content: `${name}\n` } },
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}.done`,
          apply: `touch /var/tmp/${name}.begun; until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; touch /var/tmp/${name}.done`,
          undo: `rm -f /var/tmp/${name}.*`,
        },
      },
    }),
  });
  const begun = (name: string, host = 0) =>
    until(
      async () => ((await on(`ls /var/tmp/${name}.begun`, host)) === '' ? undefined : true),
      `${name} to begin`,
    );

  const create = (name: string, isPrivate = false, host = 0): Promise<RepositoryName> =>
    world().github.createRepository({
      name,
      private: isPrivate,
      files: { 'servers.yaml': serverYaml(world().hosts.slice(host, host + 1)) },
    });
  const at = (repo: RepositoryName) => verbsOf(world().github, repo);
  const approved = async (repo: RepositoryName, name: string, files = file(name)): Promise<Opened> => {
    const { open, check, approve } = at(repo);
    const { pull, sha } = await open(name, files);
    await check(sha, 'doaas/plan', { conclusion: 'success' });
    await approve(pull);
    return { pull, sha };
  };

  const inStore = async <T>(use: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openStore(world().engine.store, { readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };

  const statusOf = async (repo: RepositoryName, pull: number) => {
    const id = `pull-request:${repo.owner}/${repo.name}#${pull}`.toLowerCase();
    return (await world().engine.temporal().workflow.getHandle(id).describe()).status.name;
  };

  return {
    on,
    file,
    isOn,
    begun,
    letGo: (name: string, host = 0) => on(`touch /var/tmp/${name}.go`, host),
    /** The file that the run had written is gone again. */
    putBack: (name: string, host = 0) =>
      until(async () => ((await isOn(name, host)) === '' ? true : undefined), `the rollback of ${name}`, 90),
    create,
    at,
    approved,
    applies: async (repo: RepositoryName, { pull, sha }: Opened): Promise<void> => {
      await at(repo).say(pull, '/doaas apply');
      await at(repo).mergedSoon(pull, sha);
      await at(repo).check(sha, 'doaas/apply', { conclusion: 'success' });
    },
    /** In the middle of its apply, which goes on once the test lets it go. */
    midway: async (repo: RepositoryName, name: string, host = 0): Promise<Opened> => {
      const run = await approved(repo, name, waits(name));
      await at(repo).say(run.pull, '/doaas apply');
      await begun(name, host);
      return run;
    },
    sweep: (name: string) =>
      world()
        .engine.temporal()
        .workflow.execute('sweep', { workflowId: `sweep:${name}`, taskQueue: TASK_QUEUE, args: [] }),
    inStore,
    /** So says the store of a pull request's newest run, and that no server is kept for it. */
    ended: async ({ owner, name }: RepositoryName, pull: number, state: string): Promise<void> => {
      const now = () =>
        inStore(async (store) => {
          const [run] = await store.runs.ofPull(`${owner}/${name}`, pull);
          const locks = (await store.locks.list()).filter(({ runId }) => runId === run?.id);
          return `${run?.state}, ${locks.length} locks, ${(await store.hosts.needRecovery()).length} to recover`;
        });
      const wanted = `${state}, 0 locks, 0 to recover`;
      await until(
        async () => ((await now()) === wanted ? true : undefined),
        `the run to be ${wanted}`,
        30,
        now,
      );
    },
    statusOf,
    ends: (repo: RepositoryName, pull: number) =>
      until(async () => ((await statusOf(repo, pull)) === 'COMPLETED' ? true : undefined), 'the end', 90),
  };
}
