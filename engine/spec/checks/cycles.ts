import { errorAt, isServer } from '../documents.ts';
import type { LocatedDocument, Manifest, SpecError } from '../manifest.ts';

/** No document depends on itself, directly or through others; no server is reached through itself. */
export function checkCycles(manifest: Manifest): readonly SpecError[] {
  const byRef = new Map<string, LocatedDocument>(
    manifest.documents.map((document) => [document.ref, document]),
  );
  return [
    ...findCycles(byRef, (document) => document.dependsOn).map((cycle) =>
      cycleError(byRef, cycle, '/dependsOn', 'depend on each other'),
    ),
    ...findCycles(byRef, jumpOf).map((cycle) =>
      cycleError(byRef, cycle, '/spec/jump', 'are reached through each other'),
    ),
  ].flat();
}

function jumpOf(document: LocatedDocument): readonly string[] {
  return isServer(document) && document.spec.jump !== undefined ? [`Server/${document.spec.jump}`] : [];
}

/** One error a cycle, at its first document. */
function cycleError(
  byRef: ReadonlyMap<string, LocatedDocument>,
  cycle: readonly string[],
  pointer: string,
  relation: string,
): readonly SpecError[] {
  const document = byRef.get(cycle[0] ?? '');
  if (document === undefined) return [];
  const path = [...cycle, cycle[0]].join(' -> ');
  const message =
    cycle.length === 1
      ? `${cycle[0]} refers to itself; remove that.`
      : `These documents ${relation}: ${path}; remove one of these references.`;
  return [errorAt(document, 'dependency-cycle', pointer, message)];
}

/**
 * Depth-first search that reports every cycle closed by a reference back to a document on the current path. Without
 * recursion, so that a long chain cannot exhaust the stack.
 */
function findCycles(
  byRef: ReadonlyMap<string, LocatedDocument>,
  next: (document: LocatedDocument) => readonly string[],
): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const root of byRef.keys()) {
    const path: { readonly ref: string; readonly open: string[] }[] = [];
    const enter = (ref: string) => {
      const document = byRef.get(ref);
      if (document !== undefined && !done.has(ref)) path.push({ ref, open: [...next(document)] });
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const ref = top.open.shift();
      if (ref === undefined) {
        done.add(top.ref);
        path.pop();
        continue;
      }
      const from = path.findIndex((step) => step.ref === ref);
      if (from === -1) enter(ref);
      else cycles.push(path.slice(from).map((step) => step.ref));
    }
  }
  return cycles;
}
