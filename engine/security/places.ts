import type { Manifest, Position } from '../spec/manifest.ts';
import { nearestEntry } from '../spec/pointer.ts';
import { valuePosition } from '../spec/validate.ts';

/** Finds the line of a document's key, or of the nearest key around it. Throws for a document that is not there. */
export function placesIn({ documents }: Manifest): (document: string, pointer: string) => Position {
  const byRef = new Map(documents.map((document) => [document.ref as string, document]));
  return (ref, pointer) => {
    const document = byRef.get(ref);
    if (document === undefined) throw new Error(`${ref} is no document of the repository`);
    return nearestEntry(document.keys, pointer) ?? valuePosition(document, pointer);
  };
}
