import { MAX_ERRORS } from './limits.ts';
import type { LocatedDocument, Manifest, Position, SpecError } from './manifest.ts';
import type { PlannedKind } from './resolution.ts';
import type {
  ConfigurationSpec,
  FirewallSpec,
  HardeningSpec,
  PatchPolicySpec,
  ServerSpec,
  Targets,
  VariablesSpec,
} from './types.generated.ts';
import { keyPosition, valuePosition } from './validate.ts';

export type ServerDocument = LocatedDocument<ServerSpec>;
export type VariablesDocument = LocatedDocument<VariablesSpec>;
export type ConfigurationDocument = PlannedDocument<'Configuration'>;
/** A document that names servers. */
export type TargetingDocument = LocatedDocument<{ readonly targets: Targets }>;

/** The spec of each kind that changes servers, as it is written. */
export interface SourceSpecs {
  readonly Configuration: ConfigurationSpec;
  readonly Firewall: FirewallSpec;
  readonly Hardening: HardeningSpec;
  readonly PatchPolicy: PatchPolicySpec;
}

/** A document that changes servers. */
export type PlannedDocument<K extends PlannedKind = PlannedKind> = {
  readonly [P in K]: LocatedDocument<SourceSpecs[P]> & { readonly kind: P };
}[K];

/** The schema has been checked when a document is in a manifest, so the kind tells the type of the spec. */
export function isServer(document: LocatedDocument): document is ServerDocument {
  return document.kind === 'Server';
}

export function isVariables(document: LocatedDocument): document is VariablesDocument {
  return document.kind === 'Variables';
}

export function isConfiguration(document: LocatedDocument): document is ConfigurationDocument {
  return document.kind === 'Configuration';
}

export function isTargeting(document: LocatedDocument): document is TargetingDocument {
  return document.kind !== 'Server';
}

/** Servers by name; of two with the same name the first, the second being an error already. */
export function serversByName(manifest: Manifest): ReadonlyMap<string, ServerDocument> {
  const servers = new Map<string, ServerDocument>();
  for (const document of manifest.documents.filter(isServer)) {
    if (!servers.has(document.metadata.name)) servers.set(document.metadata.name, document);
  }
  return servers;
}

export function targetsServer(targets: Targets, server: ServerDocument): boolean {
  if (targets.all) return true;
  if (targets.hosts) return targets.hosts.includes(server.metadata.name);
  const wanted = Object.entries(targets.labels ?? {});
  const { labels } = server.metadata;
  return (
    wanted.length > 0 &&
    wanted.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value)
  );
}

/** An error at a value of the document. */
export function errorAt(
  document: LocatedDocument,
  code: string,
  pointer: string,
  message: string,
): SpecError {
  return specError(code, pointer, message, valuePosition(document, pointer));
}

/** An error at the key that names a value of the document. */
export function errorAtKey(
  document: LocatedDocument,
  code: string,
  pointer: string,
  message: string,
): SpecError {
  return specError(code, pointer, message, keyPosition(document, pointer));
}

function specError(code: string, pointer: string, message: string, position: Position): SpecError {
  return { kind: 'spec-error', code, message, position, pointer };
}

/** The errors of all items, one item after the other until there are too many to be of use. */
export function errorsOf<Item>(
  items: Iterable<Item>,
  check: (item: Item) => readonly SpecError[],
): readonly SpecError[] {
  const errors: SpecError[] = [];
  for (const item of items) {
    if (errors.length >= MAX_ERRORS) break;
    for (const error of check(item)) errors.push(error);
  }
  return errors;
}
