import { createHash } from 'node:crypto';
import type { ItemKey } from '../facts/fact.ts';
import type { Seals } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import { fingerprintIn } from '../kinds/seals.ts';
import type { Payload } from '../spec/configuration.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { desiredItems } from './changedItems.ts';
import { canonicalJson } from './digest.ts';
import type { HostPlan } from './step.ts';

/**
 * What was once in force on a host: by item, a hash of the desired state that a reading found there. Only that may be
 * put back by itself: a desired state that was never in force may be one that nobody has approved.
 */
export type Settled = Readonly<Record<ItemKey, string>>;

/** Stands for the probes of a document among the items: they run as part of a correction, so they must be in force too. */
export function probesItem(document: string): ItemKey {
  return `probes:${document}`;
}

/** Stands for the work that a document declares to be done by itself, as one: it is in force where none of it is outstanding. */
export function declaredItem(document: string): ItemKey {
  return `declares:${document}`;
}

/** A hash of what is wanted of each item, its secrets included. None where a secret cannot be read. */
export function wantedItems(host: ResolvedHost, seals: Seals): Settled {
  const items = [...desiredItems(host)].flatMap(([item, value]) => {
    const fingerprint = fingerprintOf(value, seals);
    return fingerprint === undefined ? [] : [[item, hashOf({ value: value ?? null, fingerprint })]];
  });
  const probes = host.documents.map((document) => [
    probesItem(document.ref),
    hashOf(kindOf(document).probes(document.spec)),
  ]);
  const declared = host.documents
    .filter((document) => kindOf(document).ongoing === true)
    .map((document) => [declaredItem(document.ref), hashOf(document.spec)]);
  return Object.fromEntries([...items, ...probes, ...declared]);
}

/**
 * What is in force after a reading. An item that differs keeps what was in force before; probes come into force only
 * by a run that was approved, and has `probed`.
 */
export function settledAfter(
  before: Settled,
  wanted: Settled,
  { steps, findings, unasked = [] }: Pick<HostPlan, 'steps' | 'findings' | 'unasked'>,
  probed: boolean,
): Settled {
  const open = [...steps.map(({ document }) => document), ...unasked].map(declaredItem);
  const differs = new Set([...steps.flatMap((step) => Object.keys(step.before)), ...open]);
  const judged = findings.every(({ severity }) => severity !== 'error');
  const isFound = (item: ItemKey): boolean =>
    judged && !differs.has(item) && (probed || !item.startsWith('probes:'));
  const entries = (Object.keys(wanted) as ItemKey[]).flatMap((item) => {
    const hash = isFound(item) ? wanted[item] : before[item];
    return hash === undefined ? [] : [[item, hash]];
  });
  return Object.fromEntries(entries);
}

/** Of what a plan would change, the probes, and declared work: what was in force as it is wanted. */
export function returnable(
  before: Settled,
  wanted: Settled,
  { steps }: Pick<HostPlan, 'steps'>,
): readonly ItemKey[] {
  const touched = steps.flatMap((step) => Object.keys(step.before) as ItemKey[]);
  const whole = (Object.keys(wanted) as ItemKey[]).filter((item) => /^(probes|declares):/.test(item));
  return [...new Set([...touched, ...whole])].filter(
    (item) => wanted[item] !== undefined && wanted[item] === before[item],
  );
}

/** Empty without secrets; undefined where one cannot be read. */
function fingerprintOf(value: unknown, seals: Seals): string | undefined {
  const content = (value as { readonly content?: Partial<Payload> } | null | undefined)?.content;
  if (content?.sealed === undefined || content.sha256 === undefined) return '';
  return fingerprintIn(seals, { sha256: content.sha256, sealed: content.sealed });
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
