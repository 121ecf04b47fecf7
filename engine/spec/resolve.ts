import type { Payload } from './configuration.ts';
import { conflictFinder, type Placed } from './conflicts.ts';
import {
  type ConfigurationDocument,
  errorAt,
  isConfiguration,
  type ServerDocument,
  serversByName,
  targetsServer,
} from './documents.ts';
import { resolveDrift } from './drift.ts';
import { MAX_ERRORS, MAX_PAYLOAD_BYTES } from './limits.ts';
import { sortErrors } from './load.ts';
import type { Manifest, SpecError } from './manifest.ts';
import { type PayloadStore, payloadStore } from './payloads.ts';
import { checkReach } from './reach.ts';
import type { Resolution, ResolvedHost } from './resolution.ts';
import { type Contents, resolveConfiguration } from './resolveConfiguration.ts';
import { resolveServer } from './resolveServer.ts';
import { resolveRollout } from './rollout.ts';
import { isSecretSetting, type TemplateValue, toSecret } from './secrets.ts';
import { isArmored, readSources, type Sources, templateParser, WRONG } from './sources.ts';
import { isLabelName, renderTemplate } from './template.ts';
import { type TemplateErrors, templateErrors } from './templateErrors.ts';
import type { VariableSetting } from './types.generated.ts';
import { configurationValues, variablesOf } from './variables.ts';
import { wavesOf } from './waves.ts';

/** A configuration with what is the same on all its hosts. */
interface Prepared {
  readonly document: ConfigurationDocument;
  readonly sources: Sources;
  readonly wave: number;
  /** Set where nothing in it depends on the host. */
  shared?: Placed;
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
  const mistakes = templateErrors();
  const prepared = prepare(manifest, mistakes);
  const errors = prepared.flatMap(({ sources }) => sources.errors);
  const payloads = payloadStore();
  const conflicts = conflictFinder();
  const names = [...servers.keys()].sort();
  const hosts = names.flatMap((name): readonly ResolvedHost[] => {
    const server = servers.get(name);
    if (server === undefined || errors.length + mistakes.count() >= MAX_ERRORS) return [];
    const placed = resolveHost(manifest, server, prepared, { payloads, errors, mistakes });
    const configurations = placed.map((one) => one.placed);
    conflicts.addHost(name, configurations);
    const documents = placed.map(toResolved);
    return [{ kind: 'resolved-host', name, server: resolveServer(server, servers), documents }];
  });
  const found = sortErrors([...errors, ...mistakes.errors(), ...conflicts.errors()]);
  return { kind: 'resolution', hosts, payloads: payloads.contents, errors: found };
}

/** What is collected while hosts are resolved. */
interface Collected {
  readonly payloads: PayloadStore;
  readonly errors: SpecError[];
  readonly mistakes: TemplateErrors;
}

function prepare(manifest: Manifest, mistakes: TemplateErrors): readonly Prepared[] {
  const waves = wavesOf(manifest.documents);
  const parse = templateParser();
  let errors = 0;
  return manifest.documents.filter(isConfiguration).map((document) => {
    const enough = errors + mistakes.count() >= MAX_ERRORS;
    const sources = enough ? nothingRead : readSources(manifest, document, parse);
    errors += sources.errors.length;
    for (const { code, problem, pointer } of sources.mistakes)
      mistakes.add(code, problem, { document, pointer });
    return { document, sources, wave: waves.get(document.ref) ?? 0 };
  });
}

const nothingRead: Sources = { templates: new Map(), secretive: new Set(), errors: [], mistakes: [] };

interface PlacedInWave {
  readonly placed: Placed;
  readonly wave: number;
}

/** The configurations of one host: by wave, then by name. */
function resolveHost(
  manifest: Manifest,
  server: ServerDocument,
  prepared: readonly Prepared[],
  collected: Collected,
): readonly PlacedInWave[] {
  const { errors } = collected;
  const variables = variablesOf(manifest, server);
  errors.push(...variables.errors);
  return prepared
    .filter(({ document }) => targetsServer(document.spec.targets, server))
    .map((one) => {
      const { values, errors: wrong } = configurationValues(
        one.document,
        variables.settings,
        server.metadata.name,
      );
      errors.push(...wrong);
      const placed = one.shared ?? place(manifest, server, one, values, collected);
      if (one.sources.templates.size === 0) one.shared = placed;
      return { placed, wave: one.wave };
    })
    .sort((a, b) => a.wave - b.wave || (a.placed.document.ref < b.placed.document.ref ? -1 : 1));
}

function place(
  manifest: Manifest,
  server: ServerDocument,
  { document, sources }: Prepared,
  values: ReadonlyMap<string, VariableSetting>,
  { payloads, errors, mistakes }: Collected,
): Placed {
  const store = (bytes: Uint8Array, pointer: string): Payload => {
    const payload = payloads.add(bytes);
    if (payload !== undefined) return payload;
    const bound = MAX_PAYLOAD_BYTES / 1024 / 1024;
    const message = `With this, all contents together are larger than ${bound} MiB; make them smaller.`;
    errors.push(errorAt(document, 'file-too-large', pointer, message));
    return nothing;
  };
  const contents: Contents = {
    inline: (text, pointer) => store(new TextEncoder().encode(text), pointer),
    source: (path, pointer) => store(manifest.files.get(path) ?? empty, pointer),
    template: (path, pointer) => {
      const template = sources.templates.get(path);
      // A mistake in the template has been reported once for all hosts, a missing value for this one.
      if (template === undefined || values.size < Object.keys(document.spec.variables ?? {}).length)
        return nothing;
      const named = templateValues(
        values,
        (file) => store(manifest.files.get(file) ?? empty, pointer).sha256,
      );
      const rendered = renderTemplate(template, withHost(named, server));
      if (rendered.kind === 'problem') {
        mistakes.add(WRONG, rendered, { document, pointer, host: server.metadata.name });
        return nothing;
      }
      const bytes = new TextEncoder().encode(rendered.text);
      const payload = store(bytes, pointer);
      return rendered.secrets.length === 0 ? payload : { ...payload, sealed: rendered.secrets };
    },
    isSecretive: (path) => sources.secretive.has(path),
    isArmored: (path) => isArmored(manifest.files.get(path) ?? empty),
  };
  return { document, spec: resolveConfiguration(document.spec, contents) };
}

const empty = new Uint8Array();

/** Stands for a content that is an error; never planned. */
const nothing: Payload = { sha256: '', size: 0, text: true };

/** Encrypted files travel with the contents, so that whoever applies the plan has what was planned. */
function templateValues(
  values: ReadonlyMap<string, VariableSetting>,
  fileHash: (path: string) => string,
): ReadonlyMap<string, TemplateValue> {
  return new Map(
    [...values].map(([name, value]) => [
      name,
      isSecretSetting(value) ? toSecret(name, value, fileHash) : value,
    ]),
  );
}

function withHost(
  values: ReadonlyMap<string, TemplateValue>,
  server: ServerDocument,
): ReadonlyMap<string, TemplateValue> {
  const labels = Object.entries(server.metadata.labels).map(
    ([name, value]) => [`host.labels.${name}`, value] as const,
  );
  return new Map<string, TemplateValue>([
    ...values,
    ['host.name', server.metadata.name],
    ['host.address', server.spec.address],
    ...labels.filter(([name]) => isLabelName(name)),
  ]);
}

function toResolved({ placed: { document, spec }, wave }: PlacedInWave): ResolvedHost['documents'][number] {
  const { ref, onRemoval, position } = document;
  const { rollout, drift } = document.spec;
  return {
    ref,
    kind: 'Configuration',
    wave,
    onRemoval,
    spec,
    ...(rollout === undefined ? {} : { rollout: resolveRollout(rollout) }),
    ...(drift === undefined ? {} : { drift: resolveDrift(drift) }),
    position,
  };
}
