import { type FactQuery, type ItemKey, type Reading, type Readings, splitItemKey } from '../facts/fact.ts';
import { itemDir, type OwnedItem } from '../facts/owned.ts';
import { type PathQuery, pathFact } from '../facts/path.ts';
import { unifiedDiff } from '../kinds/configuration/diff.ts';
import { kindOf } from '../kinds/registry.ts';
import { forgetItem, releaseItem } from '../operations/release.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { beforeOf, type Conceal } from './before.ts';
import type { Step } from './step.ts';

/** What is released last: an item's users and packages go after the files that need them. */
export const RELEASE_ORDER: readonly string[] = [
  'firewall',
  'unit',
  'script',
  'sysctl',
  'authorized-keys',
  'path',
  'pam-profile',
  'mode',
  'homes',
  'lynis',
  'hosts-entry',
  'locale',
  'timezone',
  'user',
  'group',
  'updates',
  'package',
  'apt-repository',
];

/** What documents claim and the host needs otherwise, by what was read of it. */
export function yieldedItems(host: ResolvedHost, readings: Readings): ReadonlySet<ItemKey> {
  return new Set(
    host.documents.flatMap((document) => kindOf(document).yields?.(document.spec, readings) ?? []),
  );
}

/**
 * Items that left the YAML or the selector: what the engine created is removed, what it found is released as it was
 * found, `onRemoval: keep` only forgets. What is yielded is put back in any case.
 */
export function planRemovals(
  host: ResolvedHost,
  abandoned: readonly OwnedItem[],
  readings: Readings,
  conceal?: Conceal,
): readonly Step[] {
  const inOrder = [...abandoned].sort(
    (a, b) =>
      rank(a.item) - rank(b.item) ||
      (a.item.length === b.item.length ? (a.item < b.item ? -1 : 1) : b.item.length - a.item.length),
  );
  const yielded = yieldedItems(host, readings);
  return inOrder.map((owned) => {
    const step = removalStep(
      host,
      yielded.has(owned.item) ? { ...owned, onRemoval: 'restore' } : owned,
      readings.get(owned.item),
      conceal,
    );
    return yielded.has(owned.item)
      ? Object.freeze({ ...step, reason: 'change', summary: yieldSentence(owned) })
      : step;
  });
}

/** Files whose lines are read for their diffs, of all that left the YAML at once. */
const SHOWN_MAX = 32;

/** What must be read of items that are released: of a file that was there also what it goes back to. */
export function releaseQueries(abandoned: readonly OwnedItem[]): readonly FactQuery[] {
  const shown = new Set(
    abandoned.filter(
      ({ item, origin, onRemoval }) =>
        splitItemKey(item).fact === pathFact.fact && origin === 'adopted' && onRemoval === 'restore',
    ),
  );
  return abandoned.map((owned): FactQuery | PathQuery => {
    const query = splitItemKey(owned.item);
    if (shown.size > SHOWN_MAX || !shown.has(owned)) return query;
    return { fact: 'path', key: query.key, unlessSha256: 'any', saved: `${itemDir(owned.item)}/saved/item` };
  });
}

function rank(item: ItemKey): number {
  const at = RELEASE_ORDER.indexOf(splitItemKey(item).fact);
  return at === -1 ? RELEASE_ORDER.length : at;
}

function removalStep(
  host: ResolvedHost,
  owned: OwnedItem,
  reading: Reading | undefined,
  conceal: Conceal | undefined,
): Step {
  const keep = owned.onRemoval === 'keep';
  const created = owned.origin === 'created';
  const words = `- ${owned.item} as ${owned.document} had it\n+ ${created ? 'absent' : 'as it was found'}`;
  return Object.freeze({
    kind: 'step',
    id: `release:${owned.item}`,
    operation: keep ? forgetItem.operation : releaseItem.operation,
    host: host.name,
    params: { item: owned.item },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    reason: created && !keep ? 'removal' : 'release',
    wave: 0,
    document: owned.document,
    onRemoval: owned.onRemoval,
    absent: [],
    before: { [owned.item]: beforeOf(reading, conceal) },
    summary: sentence(owned),
    diff: keep ? '' : (linesBack(owned, reading) ?? words),
  } satisfies Step);
}

/** The whole file goes back, with what people or packages changed in it since. Undefined where not everybody may read it. */
function linesBack({ item }: OwnedItem, reading: Reading | undefined): string | undefined {
  if (reading?.query.fact !== pathFact.fact) return undefined;
  const { content, saved } = reading.state as { readonly content?: string; readonly saved?: string };
  if (content === undefined || saved === undefined || content === saved) return undefined;
  return unifiedDiff(splitItemKey(item).key, textIn(content), textIn(saved)).text;
}

function textIn(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function sentence(owned: OwnedItem): string {
  const { fact, key } = splitItemKey(owned.item);
  const name = `${fact} ${key}`;
  if (owned.onRemoval === 'keep') return `${name} left the YAML: kept as it is, no longer managed`;
  if (owned.origin === 'created') return `${name} left the YAML: removed`;
  return `${name} left the YAML: put back as it was found`;
}

function yieldSentence({ item, document }: OwnedItem): string {
  const { fact, key } = splitItemKey(item);
  return `${fact} ${key} is needed otherwise on this server, so ${document} gives it up: put back as it was found`;
}
