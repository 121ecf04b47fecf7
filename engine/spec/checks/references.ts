import { errorAt, errorsOf, isServer, isTargeting, serversByName } from '../documents.ts';
import type { BrokenDocument } from '../load.ts';
import type { LocatedDocument, Manifest, SpecError } from '../manifest.ts';
import { didYouMean, nearestName } from '../nearest.ts';
import { childPointer } from '../pointer.ts';

/** Every name of another document is the name of one that is there. */
export function checkReferences(manifest: Manifest, broken: readonly BrokenDocument[]): readonly SpecError[] {
  const refs = new Set<string>(manifest.documents.map((document) => document.ref));
  const servers = serversByName(manifest);
  const unsure = (kind: string, ref: string) => broken.some((other) => mayBe(other, kind, ref));
  const knownServer = (name: string) => servers.has(name) || unsure('Server', `Server/${name}`);
  return errorsOf(manifest.documents, (document) => [
    ...checkDependsOn(document, refs, unsure),
    ...(isTargeting(document)
      ? checkHosts(document, document.spec.targets.hosts ?? [], knownServer, servers)
      : []),
    ...(isServer(document) && document.spec.jump !== undefined && !knownServer(document.spec.jump)
      ? [unknownServer(document, '/spec/jump', document.spec.jump, servers)]
      : []),
  ]);
}

/** A document with mistakes may be the one that is meant, even where its name cannot be read. */
function mayBe(other: BrokenDocument, kind: string, ref: string): boolean {
  return (other.kind === '*' || other.kind === kind) && (other.ref === undefined || other.ref === ref);
}

function checkDependsOn(
  document: LocatedDocument,
  refs: ReadonlySet<string>,
  unsure: (kind: string, ref: string) => boolean,
): readonly SpecError[] {
  return document.dependsOn.flatMap((ref, index) => {
    const pointer = childPointer('/dependsOn', index);
    const kind = ref.slice(0, ref.indexOf('/'));
    if (kind === 'Server' || kind === 'Variables') {
      const message = `dependsOn names ${ref}, but only documents that change servers have an order; remove it.`;
      return [errorAt(document, 'unknown-reference', pointer, message)];
    }
    if (refs.has(ref) || unsure(kind, ref)) return [];
    const others = [...refs].filter(
      (other) => other !== document.ref && !/^(Server|Variables)\//.test(other),
    );
    const message = `There is no ${ref} to depend on${nearestReference(ref, others)}`;
    return [errorAt(document, 'unknown-reference', pointer, message)];
  });
}

/** By its name alone: all begin with the same few kinds. */
function nearestReference(ref: string, candidates: readonly string[]): string {
  const nameOf = (other: string) => other.slice(other.indexOf('/') + 1);
  const nearest = nearestName(nameOf(ref), candidates.map(nameOf));
  const meant = candidates.find((candidate) => nameOf(candidate) === nearest);
  return meant === undefined ? '.' : `; did you mean ${JSON.stringify(meant)}?`;
}

function checkHosts(
  document: LocatedDocument,
  hosts: readonly string[],
  known: (name: string) => boolean,
  servers: ReadonlyMap<string, unknown>,
): readonly SpecError[] {
  return errorsOf(hosts.entries(), ([index, name]) =>
    known(name) ? [] : [unknownServer(document, `/spec/targets/hosts/${index}`, name, servers)],
  );
}

function unknownServer(
  document: LocatedDocument,
  pointer: string,
  name: string,
  servers: ReadonlyMap<string, unknown>,
): SpecError {
  const message = `There is no Server with the name ${JSON.stringify(name)}${didYouMean(name, servers.keys())}`;
  return errorAt(document, 'unknown-reference', pointer, message);
}
