import { kindOf } from '../kinds/registry.ts';
import type { Json } from '../operations/operation.ts';
import { changedItems } from '../plan/changedItems.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import type { RunHost } from '../store/runHosts.ts';
import type { Store } from '../store/store.ts';
import { permanent } from './failure.ts';
import { knownOn, secretFiles } from './hostMask.ts';
import { inParallel } from './planning.ts';
import type { DesiredHosts } from './revisions.ts';
import { contentsOf } from './sealing.ts';
import type { PlanRef, RunRef } from './types.ts';

/**
 * Of what is kept. Raised when an engine could not read what the one before it kept: such a run is read from git, as those of engines
 * that kept nothing.
 */
const FORMAT = 1;

/** Contents that are read from the store at the same time. */
const READ_AT_ONCE = 8;

/** What the merge and its base have on one machine, under whatever names. */
interface Pinned {
  readonly format: number;
  readonly merged: readonly ResolvedHost[];
  readonly base: readonly ResolvedHost[];
  /** Servers that try to reach it when it is verified, or stand in for it; how they are reached, and nothing of what they are to be. */
  readonly lookers: readonly ResolvedHost[];
}

/**
 * Keeps in the store what whoever changes, proves or undoes the run's hosts needs of the repository, so that neither GitHub nor a
 * mirror is needed for it any more. Secrets are names there, as in the repository.
 */
export async function pinRun(
  { store }: { readonly store: Pick<Store, 'blobs' | 'runHosts'> },
  { run, plan }: RunRef,
  { merged, base, changed }: DesiredHosts,
): Promise<void> {
  const names = new Set(changed.map(({ name }) => name));
  const pinned = changed.map((host) => ({ host, known: knownOn(host, [merged, base]) }));
  const contents = new Map<string, Uint8Array>();
  for (const { host, known } of pinned) {
    for (const { payloads } of known) for (const [sha256, bytes] of payloads) contents.set(sha256, bytes);
    for (const { sha256 } of contentsOf(host)) {
      const bytes = merged.payloads.get(sha256);
      if (bytes !== undefined) contents.set(sha256, bytes);
    }
  }
  const payloads = await store.blobs.put([...contents.values()]);
  const hosts = pinned.map(({ host, known: [after, before] }): RunHost => {
    const body: Pinned = {
      format: FORMAT,
      merged: after?.hosts ?? [],
      base: before?.hosts ?? [],
      lookers: lookersOf(host, merged, matesKeptWith(host.name, plan, names)),
    };
    return { host: host.name, body: body as unknown as Json };
  });
  await store.runHosts.save({ runId: run, digest: plan.digest, hosts, payloads }).catch(tooLarge);
}

function lookersOf(
  host: ResolvedHost,
  { hosts }: Resolution,
  mates: readonly string[],
): readonly ResolvedHost[] {
  const probes = host.documents.flatMap((document) => kindOf(document).probes(document.spec));
  const names = new Set([
    ...mates,
    ...probes.flatMap((probe) => (probe.kind === 'reach' ? [probe.from] : [])),
  ]);
  return hosts.filter(({ name }) => names.has(name)).map((looker) => ({ ...looker, documents: [] }));
}

/** Those of its units that are not changed themselves, once for each unit. */
function matesKeptWith(host: string, { rollout }: PlanRef, changed: ReadonlySet<string>): readonly string[] {
  return (rollout?.apart ?? [])
    .filter((unit) => unit.find((name) => changed.has(name)) === host)
    .flatMap((unit) => unit.filter((name) => !changed.has(name)));
}

/** No retry makes it smaller. */
function tooLarge(error: unknown): never {
  const { type, message } = error as { readonly type?: unknown; readonly message?: string };
  throw type === 'store-bound' ? permanent(message ?? '') : error;
}

/** Undefined where nothing was kept of the run. Contents are in the store; see `withContents`. `host`: it alone. */
export async function pinnedRun(
  store: Pick<Store, 'runHosts'>,
  run: Pick<RunRef, 'run' | 'undoes'>,
  host?: string,
): Promise<DesiredHosts | undefined> {
  const rows = await store.runHosts.of(run.undoes ?? run.run, host);
  const pinned = rows.map(({ body }) => body as unknown as Pinned);
  if (rows.length === 0 || pinned.some(({ format }) => format !== FORMAT)) return undefined;
  // one that is changed itself is as it is to be
  const lookers = pinned.flatMap((each) => each.lookers);
  const merged = resolutionOf([...lookers, ...pinned.flatMap((each) => each.merged)]);
  const base = resolutionOf(pinned.flatMap((each) => each.base));
  const names = new Set(rows.map((row) => row.host));
  return {
    merged,
    base,
    changed: merged.hosts.filter(({ name }) => names.has(name)),
    changedItems: (name) => changedItems(base, merged, name),
  };
}

/** Each once, sorted by name as ever. */
function resolutionOf(hosts: readonly ResolvedHost[]): Resolution {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kind: 'resolution', hosts: sorted, payloads: new Map(), errors: [] };
}

/** With the contents that its hosts are to have, and the files that their secrets are in, for planning them again. */
export async function withContents(
  { store }: { readonly store: Pick<Store, 'blobs'> },
  revision: DesiredHosts,
): Promise<DesiredHosts> {
  const { merged, changed } = revision;
  const wanted = new Set(
    changed.flatMap((host) => [...contentsOf(host).map(({ sha256 }) => sha256), ...secretFiles(host)]),
  );
  const missing = [...wanted].filter((sha256) => !merged.payloads.has(sha256));
  const read = await inParallel(missing, READ_AT_ONCE, async (sha256) => {
    const bytes = await store.blobs.get(sha256);
    return bytes === undefined ? [] : [[sha256, bytes] as const];
  });
  return { ...revision, merged: { ...merged, payloads: new Map([...merged.payloads, ...read.flat()]) } };
}
