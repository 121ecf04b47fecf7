import type { Position, SpecError } from './manifest.ts';
import { didYouMean, nearestName } from './nearest.ts';
import type { ParsedDocument } from './parse.ts';
import { POLICY_FILE } from './policy.ts';
import { API_VERSION, kinds, POLICY } from './schemas.ts';
import { keyPosition, valuePosition } from './validate.ts';

/** Whether a YAML document is one of ours, and of which kind. */
export type Header =
  | { readonly kind: 'foreign' }
  | { readonly kind: 'error'; readonly error: SpecError }
  | { readonly kind: 'document'; readonly documentKind: string };

/** `strict`: the file lies where only documents of ours may lie. */
export function readHeader(document: ParsedDocument, strict: boolean): Header {
  const { value } = document;
  if (value === null) return { kind: 'foreign' };
  if (typeof value !== 'object' || Array.isArray(value))
    return strict || holdsOurs(value) ? notADocument(document) : { kind: 'foreign' };
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  if (apiVersion === undefined) return withoutVersion(document, value, strict);
  if (!isOurVersion(apiVersion)) {
    return strict || isMistaken(apiVersion, kind)
      ? unknownVersion(document, apiVersion)
      : { kind: 'foreign' };
  }
  if (apiVersion !== API_VERSION) return unknownVersion(document, apiVersion);
  return withVersion(document, kind);
}

function withVersion(document: ParsedDocument, kind: unknown): Header {
  if (kind === undefined || kind === null) {
    const message = `This document has no kind; write one of ${kinds.join(', ')}.`;
    return failed('missing-property', message, valuePosition(document, ''), '');
  }
  if (typeof kind === 'string' && kinds.includes(kind)) return { kind: 'document', documentKind: kind };
  if (kind === POLICY) {
    const message = `A policy here holds for nothing; move it to ${POLICY_FILE}.`;
    return failed('wrong-place', message, valuePosition(document, '/kind'), '/kind');
  }
  const nearest = didYouMean(String(kind), kinds);
  const advice = nearest === '.' ? `; known are ${kinds.join(', ')}.` : nearest;
  const message = `Unknown kind ${JSON.stringify(kind)}${advice}`;
  return failed('unknown-kind', message, valuePosition(document, '/kind'), '/kind');
}

function isOurVersion(apiVersion: unknown): boolean {
  return typeof apiVersion === 'string' && /^doaas\b/i.test(apiVersion);
}

/**
 * Other people's documents name their API with a group (`apps/v1`), or are of a kind of Kubernetes' own `v1`, which has
 * none of these kinds. To take a mistaken one for foreign would be to pass it over in silence.
 */
function isMistaken(apiVersion: unknown, kind: unknown): boolean {
  if (typeof apiVersion === 'string' && nearestName(apiVersion, [API_VERSION]) !== undefined) return true;
  const bare = apiVersion === null || typeof apiVersion === 'number' || /^v?[0-9]/.test(String(apiVersion));
  return (
    bare && typeof kind === 'string' && kinds.some((known) => known.toLowerCase() === kind.toLowerCase())
  );
}

/** A list of documents, as some tools take it. */
function holdsOurs(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.some((item: unknown) => {
      return typeof item === 'object' && item !== null && isOurVersion(Reflect.get(item, 'apiVersion'));
    })
  );
}

/** Without `apiVersion` it may be anybody's YAML, unless it looks much like ours. */
function withoutVersion(document: ParsedDocument, value: object, strict: boolean): Header {
  const misspelt = Object.keys(value).find((key) => nearestName(key, ['apiVersion']) !== undefined);
  if (misspelt !== undefined && /^doaas\b/.test(String(Reflect.get(value, misspelt)))) {
    const message = `Unknown property ${JSON.stringify(misspelt)} in a document; did you mean "apiVersion"?`;
    return failed('unknown-property', message, keyPosition(document, `/${misspelt}`), `/${misspelt}`);
  }
  const kind: unknown = Reflect.get(value, 'kind');
  const ours = typeof kind === 'string' && kinds.includes(kind) && ('metadata' in value || 'spec' in value);
  if (!strict && !ours) return { kind: 'foreign' };
  const message = `This document has no apiVersion; write "apiVersion: ${API_VERSION}".`;
  return failed('missing-property', message, valuePosition(document, ''), '');
}

function unknownVersion(document: ParsedDocument, apiVersion: unknown): Header {
  const message = `Unknown apiVersion ${JSON.stringify(apiVersion)}; did you mean "${API_VERSION}"?`;
  return failed('unknown-version', message, valuePosition(document, '/apiVersion'), '/apiVersion');
}

function notADocument(document: ParsedDocument): Header {
  const advice = Array.isArray(document.value) ? '; write "---" between documents, not "- "' : '';
  const message = `A document must be a map with apiVersion, kind, metadata and spec${advice}.`;
  return failed('wrong-type', message, valuePosition(document, ''), '');
}

function failed(code: string, message: string, position: Position, pointer: string): Header {
  return { kind: 'error', error: { kind: 'spec-error', code, message, position, pointer } };
}
