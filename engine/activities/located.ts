import type { EventOrigin } from '../github/events.ts';
import { readRepository } from '../github/repositories.ts';
import { recordName } from '../github/workflowIds.ts';
import type { RepositoryRecord } from '../store/repositories.ts';
import type { Engine } from './engine.ts';
import type { RepositoryRef } from './types.ts';

type Places = Pick<Engine, 'store' | 'github'>;

/**
 * Which repository an event is about, by GitHub's id. A name that differs from the known one is believed only when GitHub itself says
 * so: an old event has the old name, and somebody else may have taken that since. Throws `GitHubError`, `StoreError`.
 */
export async function locate(engine: Places, origin: EventOrigin): Promise<RepositoryRef> {
  const { repo, repositoryId: id } = origin;
  const installationId = origin.installationId ?? (await engine.github.installationOf(repo));
  if (id === undefined) return { ...repo, installationId };
  const { owner, name } = repo;
  const seen = { id: String(id), owner, name, installationId: String(installationId) };
  const known = await engine.store.repositories.get(seen.id);
  if (known === undefined) return refOf(await engine.store.repositories.save({ ...seen, defaultBranch: '' }));
  const same = known.owner === owner && known.name === name;
  if (same && known.installationId === seen.installationId) return refOf(known);
  return refOf(await moved(engine, known, { ...repo, installationId }));
}

/** Renamed, transferred or installed anew, if GitHub says so under the name and installation of the event. */
async function moved(engine: Places, known: RepositoryRecord, to: RepositoryRef): Promise<RepositoryRecord> {
  const client = await engine.github.installationClient(to.installationId);
  const now = await readRepository(client, to).catch(goneOrThrow);
  if (now === undefined || String(now.id) !== known.id) return known;
  const { owner, name, defaultBranch } = now;
  const installationId = String(to.installationId);
  return engine.store.repositories.save({ id: known.id, owner, name, defaultBranch, installationId });
}

function goneOrThrow(error: unknown): undefined {
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  if (type === 'github-not-found' || type === 'github-refused') return undefined;
  throw error;
}

/** `installationId`: for one that the App does not reach now, how it was reached before. */
export function refOf(record: RepositoryRecord, installationId = 0): RepositoryRef {
  const { id, owner, name, knownAs } = record;
  return {
    owner,
    name,
    installationId: Number(record.installationId ?? installationId),
    id: Number(id),
    knownAs,
  };
}

/** The same repository, called and reached as it is now; one that was never seen by its id stays as it is. */
export async function relocated(
  { store }: Pick<Engine, 'store'>,
  repository: RepositoryRef,
): Promise<RepositoryRef> {
  const { id } = repository;
  const known =
    id === undefined
      ? await store.repositories.findKnownAs(recordName(repository))
      : await store.repositories.get(String(id));
  return known === undefined ? repository : refOf(known, repository.installationId);
}

type Activities = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/**
 * The same activities, for which every repository in their arguments is the one of now: what a workflow was started with is as old
 * as the workflow, and repositories are renamed, transferred and given new installations meanwhile.
 */
export function located<T extends object>(engine: Pick<Engine, 'store'>, activities: T): T {
  const wrapped = Object.entries(activities as Activities).map(([name, activity]) => [
    name,
    async (...args: never[]) =>
      activity(...(await Promise.all(args.map((each) => relocatedIn(engine, each))))),
  ]);
  return Object.fromEntries(wrapped) as T;
}

/** Also inside a pull request, a run and a revision, which name theirs. */
async function relocatedIn<T>(engine: Pick<Engine, 'store'>, value: T): Promise<T> {
  if (typeof value !== 'object' || value === null) return value;
  if (isRepository(value)) return (await relocated(engine, value)) as T;
  if ('pull' in value) return { ...value, pull: await relocatedIn(engine, value.pull) };
  if ('repository' in value) return { ...value, repository: await relocatedIn(engine, value.repository) };
  return value;
}

function isRepository(value: object): value is RepositoryRef {
  return 'owner' in value && 'name' in value && 'installationId' in value;
}
