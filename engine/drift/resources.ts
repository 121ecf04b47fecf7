import type { Plan, Step } from '../plan/step.ts';

/** One difference between the default branch and a server, as it was last read. */
export interface DriftedItem {
  /** `Configuration/web` */
  readonly document: string;
  readonly host: string;
  readonly stepId: string;
  /** One line for people. */
  readonly summary: string;
  /** What applying the branch would change. */
  readonly diff: string;
  /** Epoch ms of the reading that found it first. */
  readonly firstSeenAt: number;
  /** Sentences: what the server's own logs say about who changed it; empty where they say nothing. */
  readonly traces: readonly string[];
}

/** All that differs of one document: one issue. */
export interface DriftedResource {
  readonly document: string;
  readonly items: readonly DriftedItem[];
}

/** Steps that only make a service notice a change (a reload) are no difference of their own. */
export function differences(plan: Plan, hosts: ReadonlySet<string>): readonly Step[] {
  return plan.hosts
    .filter((host) => hosts.has(host.host))
    .flatMap((host) => host.steps)
    .filter((step) => Object.keys(step.before).length > 0);
}

/**
 * What is known after a reading: on hosts that were read, what was found, with the time of its first reading; on
 * others (out of reach, or being changed by a run) what was known before.
 */
export function merged(
  before: readonly DriftedItem[],
  found: readonly DriftedItem[],
  read: ReadonlySet<string>,
): readonly DriftedItem[] {
  const known = new Map(before.map((item) => [keyOf(item), item]));
  const kept = before.filter((item) => !read.has(item.host));
  return [...kept, ...found.map((item) => firstSeenOf(item, known.get(keyOf(item))))];
}

/** Whoever changed it is told once: the logs of a later reading may have rotated. */
function firstSeenOf(item: DriftedItem, known: DriftedItem | undefined): DriftedItem {
  if (known === undefined) return item;
  const traces = item.traces.length > 0 ? item.traces : known.traces;
  return { ...item, firstSeenAt: known.firstSeenAt, traces };
}

function keyOf({ document, host, stepId }: DriftedItem): string {
  return JSON.stringify([document, host, stepId]);
}

/** By document, in the order of their names; the items in the order of hosts. */
export function byResource(items: readonly DriftedItem[]): readonly DriftedResource[] {
  const documents = [...new Set(items.map((item) => item.document))].sort();
  return documents.map((document) => ({
    document,
    items: items.filter((item) => item.document === document),
  }));
}
