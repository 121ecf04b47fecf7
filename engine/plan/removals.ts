import { type ItemKey, type Reading, type Readings, splitItemKey } from '../facts/fact.ts';
import type { OwnedItem } from '../facts/owned.ts';
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
    return yielded.has(owned.item) ? Object.freeze({ ...step, summary: yieldSentence(owned) }) : step;
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
    diff: keep
      ? ''
      : `- ${owned.item} as ${owned.document} had it\n+ ${created ? 'absent' : 'as it was found'}`,
  } satisfies Step);
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
