import type { Manifest, Position } from '../spec/manifest.ts';
import { nearestEntry } from '../spec/pointer.ts';
import { valuePosition } from '../spec/validate.ts';

/** Finds the line of a document's key, or of the nearest key around it; undefined for a document that is not there. */
export type Locate = (document: string, pointer: string) => Position | undefined;

export function placesIn({ documents }: Manifest): Locate {
  const byRef = new Map(documents.map((document) => [document.ref as string, document]));
  return (ref, pointer) => {
    const document = byRef.get(ref);
    if (document === undefined) return undefined;
    return nearestEntry(document.keys, pointer) ?? valuePosition(document, pointer);
  };
}

/**
 * Where somebody would look for what is said of a server. A later reading may be by documents that the commit does not have yet;
 * it is told at the Server document then, for what was seen there is so all the same.
 */
export function placeOf(
  locate: Locate,
  { host, document, pointer }: { readonly host: string; readonly document: string; readonly pointer: string },
): Position | undefined {
  return locate(document, pointer) ?? locate(`Server/${host}`, '/metadata/name');
}
