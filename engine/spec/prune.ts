import type { SpecError } from './manifest.ts';
import { nearestName } from './nearest.ts';
import { childPointer, pointerSegments } from './pointer.ts';
import { schemaErrors } from './schemas.ts';

/**
 * A document's value without the entries that have mistakes by its schema, so that what the rest says about itself and
 * about others is checked in the same round. Undefined where too little is left to judge.
 */
export function withoutMistakes(kind: string, value: unknown, errors: readonly SpecError[]): unknown {
  const pruned: unknown = structuredClone(value);
  for (const error of errors) {
    const pointer = partOf(kind, error, pruned);
    if (pointer === undefined) return undefined;
    remove(pruned, pointerSegments(pointer));
  }
  return schemaErrors(kind, pruned).length === 0 ? pruned : undefined;
}

/** JSON pointer of the smallest part that means something alone; undefined: the mistake spoils the whole document. */
function partOf(kind: string, error: SpecError, value: unknown): string | undefined {
  const [top = '', section, entry] = pointerSegments(error.pointer);
  // A misspelt section takes nothing with it; a misspelt property of an entry may be all that the entry says.
  if (error.code === 'unknown-property' && (entry === undefined || kind === 'Server'))
    return isDecisive(error.pointer) ? undefined : error.pointer;
  if (top === 'dependsOn') return '/dependsOn';
  // A server without one of its properties would be another server.
  if (top !== 'spec' || section === undefined || kind === 'Server' || DECISIVE.includes(section))
    return undefined;
  const pointer = childPointer('/spec', section);
  const entries: unknown = Reflect.get(Reflect.get(Object(value), 'spec') as object, section);
  // Of a list all goes, or the places of the others would shift.
  const named = entry !== undefined && typeof entries === 'object' && !Array.isArray(entries);
  return named ? childPointer(pointer, entry) : pointer;
}

/** Sections that other parts of the document depend on. */
const DECISIVE: readonly string[] = ['targets', 'variables', 'sets', 'zones'];

/** A misspelt `targets`, or something within one. */
function isDecisive(pointer: string): boolean {
  const [top, section = ''] = pointerSegments(pointer);
  return top === 'spec' && nearestName(section, DECISIVE) !== undefined;
}

function remove(value: unknown, [first = '', ...rest]: readonly string[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (rest.length === 0) Reflect.deleteProperty(value, first);
  else remove(Reflect.get(value, first), rest);
}
