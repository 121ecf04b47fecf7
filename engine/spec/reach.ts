import {
  errorAt,
  isTargeting,
  type ServerDocument,
  type TargetingDocument,
  targetsServer,
} from './documents.ts';
import { MAX_ITEMS_ON_SERVERS } from './limits.ts';
import type { Manifest, SpecError } from './manifest.ts';

/** Work grows with documents times servers; small files can ask for much of it. At most one error. */
export function checkReach(manifest: Manifest, servers: Iterable<ServerDocument>): readonly SpecError[] {
  const targets = [...servers];
  let items = 0;
  for (const document of manifest.documents.filter(isTargeting)) {
    const reached = targets.filter((server) => targetsServer(document.spec.targets, server)).length;
    items += reached * itemCount(document);
    if (items > MAX_ITEMS_ON_SERVERS) {
      const message =
        `With this document, all documents together have more than ${MAX_ITEMS_ON_SERVERS} items on all servers; ` +
        'split the repository.';
      return [errorAt(document, 'too-many', '/spec/targets', message)];
    }
  }
  return [];
}

/** Entries of a document's maps and lists, and one for itself. */
function itemCount({ spec }: TargetingDocument): number {
  const sizes = Object.values(spec).map((section: unknown) =>
    typeof section === 'object' && section !== null ? Object.keys(section).length : 1,
  );
  return sizes.reduce((sum, size) => sum + size, 1);
}
