import { isPlanned, kindOf, resolvedDocument } from '../kinds/registry.ts';
import { conflictFinder, type Placed } from './conflicts.ts';
import { type PlannedDocument, type ServerDocument, serversByName, targetsServer } from './documents.ts';
import { resolveDrift } from './drift.ts';
import { MAX_ERRORS } from './limits.ts';
import { sortErrors } from './load.ts';
import type { Manifest } from './manifest.ts';
import { payloadStore } from './payloads.ts';
import { checkReach } from './reach.ts';
import type {
  Resolution,
  ResolvedDocument,
  ResolvedHost,
  ResolvedServer,
  ResolvedSpec,
} from './resolution.ts';
import { resolveServer } from './resolveServer.ts';
import type { Resolving, ResolvingHost } from './resolving.ts';
import { resolveRollout } from './rollout.ts';
import { templateParser } from './sources.ts';
import { templateErrors } from './templateErrors.ts';
import { keyPosition } from './validate.ts';
import { variablesOf } from './variables.ts';
import { wavesOf } from './waves.ts';

/** A document, ready to be resolved for one host after the other. */
interface Prepared {
  readonly document: PlannedDocument;
  readonly resolveOn: (host: ResolvingHost) => ResolvedSpec;
  readonly wave: number;
}

/**
 * The desired state of every host. Pure: the same files give the same resolution, byte for byte.
 *
 * Where there are errors (in the manifest or here) the hosts are incomplete and must not be planned.
 */
export function resolveManifest(manifest: Manifest): Resolution {
  const servers = serversByName(manifest);
  const tooMuch = checkReach(manifest, servers.values());
  if (tooMuch.length > 0) return { kind: 'resolution', hosts: [], payloads: new Map(), errors: tooMuch };
  const payloads = payloadStore();
  const mistakes = templateErrors();
  const resolving: Resolving = {
    manifest,
    servers: resolvedServers(servers),
    serverDocuments: servers,
    payloads,
    errors: [],
    warnings: [],
    mistakes,
    parseTemplate: templateParser(),
  };
  const prepared = prepare(resolving);
  const conflicts = conflictFinder();
  const jumps = jumpsOf(resolving.servers.values());
  const hosts = [...resolving.servers].flatMap(([name, server]): readonly ResolvedHost[] => {
    const document = servers.get(name);
    if (document === undefined || resolving.errors.length + mistakes.count() >= MAX_ERRORS) return [];
    const jumpFor = jumps.get(name) ?? [];
    const placed = resolveHost(document, { server, jumpFor }, prepared, resolving);
    conflicts.addHost(name, placed);
    const documents = placed.map(({ resolved }) => resolved);
    const { addresses } = document.spec;
    return [
      {
        kind: 'resolved-host',
        name,
        server,
        position: document.position,
        ...(jumpFor.length > 0 ? { jumpFor } : {}),
        ...(addresses === undefined ? {} : { addresses }),
        documents,
      },
    ];
  });
  const found = sortErrors([...resolving.errors, ...mistakes.errors(), ...conflicts.errors()]);
  const warnings = sortErrors(resolving.warnings);
  return {
    kind: 'resolution',
    hosts,
    payloads: payloads.contents,
    errors: found,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

function resolvedServers(
  documents: ReadonlyMap<string, ServerDocument>,
): ReadonlyMap<string, ResolvedServer> {
  const byName = [...documents].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(byName.map(([name, document]) => [name, resolveServer(document, documents)]));
}

/** Names of the servers that are reached through each one, directly. */
function jumpsOf(servers: Iterable<ResolvedServer>): ReadonlyMap<string, readonly string[]> {
  const jumps = new Map<string, readonly string[]>();
  for (const { name, jump } of servers)
    if (jump !== undefined) jumps.set(jump.name, [...(jumps.get(jump.name) ?? []), name]);
  return jumps;
}

function prepare(resolving: Resolving): readonly Prepared[] {
  const { documents } = resolving.manifest;
  const waves = wavesOf(documents);
  return documents.filter(isPlanned).map((document) => ({
    document,
    resolveOn: kindOf(document).prepare(document, resolving),
    wave: waves.get(document.ref) ?? 0,
  }));
}

/** The documents of one host: by wave, then by name. */
function resolveHost(
  document: ServerDocument,
  host: Pick<ResolvingHost, 'server' | 'jumpFor'>,
  prepared: readonly Prepared[],
  { manifest, errors }: Resolving,
): readonly Placed[] {
  const variables = variablesOf(manifest, document);
  errors.push(...variables.errors);
  const resolvingHost = { document, ...host, settings: variables.settings };
  return prepared
    .filter((one) => targetsServer(one.document.spec.targets, document))
    .map((one) => ({ document: one.document, resolved: toResolved(one, one.resolveOn(resolvingHost)) }))
    .sort(({ resolved: a }, { resolved: b }) => a.wave - b.wave || (a.ref < b.ref ? -1 : 1));
}

/** The same for all hosts of a document. */
const knownPlaces = new WeakMap<PlannedDocument, Pick<ResolvedDocument, 'places'>>();

function placesOf(document: PlannedDocument): Pick<ResolvedDocument, 'places'> {
  const known = knownPlaces.get(document);
  if (known !== undefined) return known;
  const pointers = kindOf(document).places?.(document.spec) ?? [];
  const places = pointers.map((pointer) => [pointer, keyPosition(document, `/spec${pointer}`)]);
  const found = places.length === 0 ? {} : { places: Object.fromEntries(places) };
  knownPlaces.set(document, found);
  return found;
}

function toResolved({ document, wave }: Prepared, spec: ResolvedSpec): ResolvedDocument {
  const { ref, onRemoval, position } = document;
  const { rollout, drift } = document.spec;
  const maintenance = kindOf(document).maintenance?.(document);
  const common = {
    ref,
    wave,
    onRemoval,
    ...(rollout === undefined ? {} : { rollout: resolveRollout(rollout) }),
    ...(drift === undefined ? {} : { drift: resolveDrift(drift) }),
    ...(maintenance === undefined ? {} : { maintenance }),
    position,
    ...placesOf(document),
  };
  return resolvedDocument(document.kind, common, spec);
}
