/** JSON pointers (RFC 6901) and how they are called in a sentence. */

export function childPointer(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function pointerSegments(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function parentPointer(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
}

/** The entry for the pointer, or for the nearest value around it: what an alias brings in has no place of its own. */
export function nearestEntry<Value>(entries: ReadonlyMap<string, Value>, pointer: string): Value | undefined {
  for (let at = pointer; ; at = parentPointer(at)) {
    const entry = entries.get(at);
    if (entry !== undefined || at === '') return entry;
  }
}

/** Of a name in a sentence; its place is told beside it. Characters. */
const NAME_SHOWN_MAX = 1_000;

/** `/spec/files/~1etc~1motd/mode` is `"mode" of /etc/motd`; `/spec/probes/0` is `item 1 of probes`. */
export function describePointer(pointer: string): string {
  const segments = pointerSegments(pointer).map(shownName);
  const last = segments.at(-1);
  if (last === undefined) return 'the document';
  const parent = segments.at(-2);
  if (isIndex(last) && parent !== undefined) return `item ${Number(last) + 1} of ${parent}`;
  if (parent === undefined || parent === 'spec') return JSON.stringify(last);
  if (!isIndex(parent)) return `${JSON.stringify(last)} of ${parent}`;
  return `${JSON.stringify(last)} of item ${Number(parent) + 1} of ${segments.at(-3) ?? 'the list'}`;
}

function shownName(name: string): string {
  return name.length <= NAME_SHOWN_MAX ? name : `${name.slice(0, NAME_SHOWN_MAX)}...`;
}

function isIndex(segment: string): boolean {
  return /^(0|[1-9][0-9]{0,8})$/.test(segment);
}
