import { errorAt, isServer, type ServerDocument } from '../documents.ts';
import type { LocatedDocument, Manifest, SpecError } from '../manifest.ts';

/** No two documents have the same kind and name, no two servers the same address or host key. */
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
    ...sharedKeys(manifest.documents.filter(isServer)),
  ];
}

/** By its key the engine knows a machine: two of one key are one to it, and one is changed by one batch at a time. */
function sharedKeys(servers: readonly ServerDocument[]): readonly SpecError[] {
  const firsts = new Map<string, ServerDocument>();
  return servers.flatMap((again) => {
    const shared = pinnedKeys(again).find(({ key }) => firsts.has(key));
    for (const { key } of pinnedKeys(again)) if (!firsts.has(key)) firsts.set(key, again);
    const first = firsts.get(shared?.key ?? '');
    if (shared === undefined || first === undefined || first === again) return [];
    if (first.ref === again.ref || addressKey(first) === addressKey(again)) return [];
    return [errorAt(again, 'duplicate-host-key', shared.pointer, sameKey(first))];
  });
}

function sameKey(first: ServerDocument): string {
  return (
    `${first.ref} has the same host key (${at(first)}). If it is one machine, declare it once; if one was cloned from the ` +
    'other, give one of them host keys of its own: whoever owns either machine can pass for the other.'
  );
}

interface PinnedKey {
  /** Without its comment. */
  readonly key: string;
  readonly pointer: string;
}

function pinnedKeys({ spec: { hostKey, hostKeys = [] } }: ServerDocument): readonly PinnedKey[] {
  return [
    ...(hostKey === undefined ? [] : [{ key: hostKey, pointer: '/spec/hostKey' }]),
    ...hostKeys.map((key, index) => ({ key, pointer: `/spec/hostKeys/${index}` })),
  ].map(({ key, pointer }) => ({ key: key.split(' ', 2).join(' '), pointer }));
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
