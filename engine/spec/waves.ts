import type { LocatedDocument } from './manifest.ts';

/**
 * Depth of each document by `dependsOn`: 0 depends on nothing. Kahn's algorithm, so a long chain needs no stack;
 * documents of a cycle (an error elsewhere) get no wave.
 */
export function wavesOf(documents: readonly LocatedDocument[]): ReadonlyMap<string, number> {
  const waves = new Map<string, number>();
  const refs = new Set<string>(documents.map((document) => document.ref));
  const waiting = new Map<string, Set<string>>();
  const dependents = new Map<string, string[]>();
  for (const { ref, dependsOn } of documents) {
    const present = dependsOn.filter((other) => refs.has(other));
    waiting.set(ref, new Set(present));
    for (const other of present) dependents.set(other, [...(dependents.get(other) ?? []), ref]);
  }
  let ready = [...waiting].filter(([, others]) => others.size === 0).map(([ref]) => ref);
  for (let wave = 0; ready.length > 0; wave++) {
    const next: string[] = [];
    for (const ref of ready) {
      waves.set(ref, wave);
      for (const dependent of dependents.get(ref) ?? []) {
        const others = waiting.get(dependent);
        others?.delete(ref);
        if (others?.size === 0) next.push(dependent);
      }
    }
    ready = next;
  }
  return waves;
}
