import type { PlannedDocument } from '../spec/documents.ts';
import type { LocatedDocument } from '../spec/manifest.ts';
import type { PlannedKind, ResolvedCommon, ResolvedDocument, ResolvedSpec } from '../spec/resolution.ts';
import { configuration } from './configuration/plan.ts';
import { firewall } from './firewall/plan.ts';
import { hardening } from './hardening/plan.ts';
import type { Kind } from './kind.ts';
import { patchPolicy } from './patchPolicy/plan.ts';

/** Every kind that changes servers. Exhaustive: a new one does not compile until it has an entry. */
const kinds: { readonly [K in PlannedKind]: Kind<K> } = {
  Configuration: configuration,
  Firewall: firewall,
  Hardening: hardening,
  PatchPolicy: patchPolicy,
};

/** The schema has been checked when a document is in a manifest, so the kind tells the type of the spec. */
export function isPlanned(document: LocatedDocument): document is PlannedDocument {
  return isKind(document.kind);
}

function isKind(kind: string): kind is PlannedKind {
  return Object.hasOwn(kinds, kind);
}

/**
 * The kind of a document, to be called with that document and its spec only. Here alone the type of specs is widened:
 * TypeScript cannot follow that the kind found by `document.kind` takes the spec that stands beside it.
 */
export function kindOf(document: { readonly kind: PlannedKind }): Kind {
  return kinds[document.kind] as Kind;
}

/** The way back: what the kind of a document resolved is a spec of that kind. */
export function resolvedDocument(
  kind: PlannedKind,
  common: ResolvedCommon,
  spec: ResolvedSpec,
): ResolvedDocument {
  return { ...common, kind, spec } as ResolvedDocument;
}

/** Whether differences of a document, `KIND/NAME`, come up by themselves. It may be one of another engine. */
export function isOngoing(ref: string): boolean {
  return kindNamed(ref)?.ongoing === true;
}

/** Whether a document, `KIND/NAME`, makes way for what else is in use on the host. */
export function isYielding(ref: string): boolean {
  return kindNamed(ref)?.yields !== undefined;
}

function kindNamed(ref: string): Kind | undefined {
  const kind = ref.split('/')[0] ?? '';
  return isKind(kind) ? kindOf({ kind }) : undefined;
}
