import { createHash } from 'node:crypto';
import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError, type ItemKey } from './fact.ts';

/** The host's own record of what the engine owns there. One query, key `all`. */
export interface OwnedQuery {
  readonly fact: 'owned';
  readonly key: 'all';
}

/** One item that a run touched. `created`: it was absent at first contact; `adopted`: it was there before. */
export interface OwnedItem {
  readonly item: ItemKey;
  readonly origin: 'created' | 'adopted';
  /** `owner/name` of the repository that asked for it. */
  readonly repository: string;
  readonly document: string;
  readonly onRemoval: 'restore' | 'keep';
  /** The run that touched it last. */
  readonly run: string;
}

/** Root of everything that the engine keeps on a host; root-only. */
export const HOST_STATE_DIR = '/var/lib/doaas';

/** Per store that has locked the host: STORE, the highest lock's number it was shown; STORE.begun, that of the last apply. */
export const FENCES = `${HOST_STATE_DIR}/fences`;

/** Where the host keeps an item's record and what was there at first contact. */
export function itemDir(item: ItemKey): string {
  return `${HOST_STATE_DIR}/items/${createHash('sha256').update(item).digest('hex').slice(0, 32)}`;
}

const READ: Sh = sh`cat ${{ kind: 'sh', text: `${HOST_STATE_DIR}/items/*/record` }} 2>/dev/null || :`;

export const ownedFact: Fact<OwnedQuery, readonly OwnedItem[]> = {
  fact: 'owned',
  read: (queries) => lines(...queries.flatMap((q) => [sh`echo ${`= ${encodeKey(q.key)}`}`, READ])),
  parse: (output) => once(output.map(parseRecord)),
};

/** The line of an item's record; every field percent-encoded, separated by a tab. */
export function recordLine(item: Omit<OwnedItem, 'run'>): string {
  return [item.item, item.origin, item.repository, item.document, item.onRemoval]
    .map(encodeURIComponent)
    .join('\t');
}

/** A fact and its key, which is at most a path (PATH_MAX of Linux is 4,096); any other field, all of them names. Characters. */
const ITEM_MAX = 4_200;
const FIELD_MAX = 300;

function parseRecord(line: string): OwnedItem {
  const [item, ...fields] = fieldsOf(line);
  const [origin, repository, document, onRemoval, run] = fields;
  if (item === undefined || !item.includes(':') || run === undefined) throw notUnderstood(line);
  // no path, name or command can hold a NUL, so nothing could be read by such a key
  if (item.includes('\0') || fields.some((field) => field.includes('\0'))) throw notUnderstood(line);
  if (item.length > ITEM_MAX || fields.some((field) => field.length > FIELD_MAX)) throw notUnderstood(line);
  return {
    item: item as ItemKey,
    origin: origin === 'created' ? 'created' : 'adopted',
    repository: repository ?? '',
    document: document ?? '',
    onRemoval: onRemoval === 'keep' ? 'keep' : 'restore',
    run,
  };
}

/** The folder of an item is named after it, so only somebody else can have made two records of one. */
function once(items: readonly OwnedItem[]): readonly OwnedItem[] {
  const seen = new Set<string>();
  for (const { item } of items) {
    if (seen.has(item)) throw new FactError(`there are two records of ${item} below ${HOST_STATE_DIR}/items`);
    seen.add(item);
  }
  return items;
}

function fieldsOf(line: string): readonly string[] {
  try {
    return line.split('\t').map(decodeURIComponent);
  } catch {
    throw notUnderstood(line);
  }
}

function notUnderstood(line: string): FactError {
  return new FactError(`a record below ${HOST_STATE_DIR}/items is not understood: ${line.slice(0, 80)}`);
}
