import { errorAt, isServer, type ServerDocument } from '../documents.ts';
import type { LocatedDocument, Manifest, SpecError } from '../manifest.ts';

/** No two documents have the same kind and name, no two servers the same address. */
export function checkNames(manifest: Manifest): readonly SpecError[] {
  return [
    ...repeated(manifest.documents, (document) => document.ref).map(({ first, again }) =>
      errorAt(
        again,
        'duplicate-name',
        '/metadata/name',
        `${again.ref} is already declared ${at(first)}; choose another name.`,
      ),
    ),
    ...repeated(manifest.documents.filter(isServer), addressKey).map(({ first, again }) =>
      errorAt(
        again,
        'duplicate-address',
        '/spec/address',
        `${first.ref} has the same address and port (${at(first)}); one machine must be declared once.`,
      ),
    ),
  ];
}

/** `in hosts/web.yaml line 3` */
export function at(document: LocatedDocument): string {
  return `in ${document.position.file} line ${document.position.line}`;
}

function repeated<D extends LocatedDocument>(
  documents: readonly D[],
  key: (document: D) => string,
): readonly { readonly first: D; readonly again: D }[] {
  const firsts = new Map<string, D>();
  return documents.flatMap((again) => {
    const first = firsts.get(key(again));
    if (first !== undefined)
      return first.ref === again.ref && key(again) !== again.ref ? [] : [{ first, again }];
    firsts.set(key(again), again);
    return [];
  });
}

/** The same address behind another jump host or at another site is another machine. */
function addressKey({ spec }: ServerDocument): string {
  return JSON.stringify([
    spec.site ?? 'default',
    spec.jump ?? '',
    spec.address.toLowerCase(),
    spec.port ?? 22,
  ]);
}
