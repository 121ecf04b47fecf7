import { createHash } from 'node:crypto';
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

const FINDING = 'finding:';

/**
 * What has no step although it is outstanding, of documents whose work comes up by itself: nobody looks at the plans of a reading by the
 * clock. `ongoing`: whether a document is one.
 */
export function waiting(
  plan: Plan,
  hosts: ReadonlySet<string>,
  ongoing: (document: string) => boolean,
): readonly Omit<DriftedItem, 'firstSeenAt'>[] {
  return plan.hosts
    .filter((host) => hosts.has(host.host))
    .flatMap((host) => host.findings)
    .filter(({ document, severity, waits }) => ongoing(document) && (severity === 'error' || waits === true))
    .map(({ document, host, message }) => ({
      document,
      host,
      stepId: `${FINDING}${createHash('sha256').update(message).digest('hex').slice(0, 16)}`,
      summary: message,
      diff: '',
      traces: [],
    }));
}

/** Whether a document could not be judged on a host, because of an error there. */
export function unjudged({ hosts }: Plan): (at: Pick<DriftedItem, 'document' | 'host'>) => boolean {
  const errors = hosts.flatMap(({ findings }) => findings.filter(({ severity }) => severity === 'error'));
  return (at) => errors.some(({ document, host }) => document === at.document && host === at.host);
}

/**
 * What is known after a reading: on hosts that were read, what was found, with the time of its first reading; on
 * others (out of reach, or being changed by a run) what was known before, and of documents that were not judged there too.
 */
export function merged(
  before: readonly DriftedItem[],
  found: readonly DriftedItem[],
  read: ReadonlySet<string>,
  isUnjudged: (item: DriftedItem) => boolean = () => false,
): readonly DriftedItem[] {
  const known = new Map(before.map((item) => [keyOf(item), item]));
  // a server can say the same twice, and the store takes it once
  const now = new Map(found.map((item) => [keyOf(item), item]));
  const stays = (item: DriftedItem) =>
    isUnjudged(item) && !item.stepId.startsWith(FINDING) && !now.has(keyOf(item));
  const kept = before.filter((item) => !read.has(item.host) || stays(item));
  return [...kept, ...[...now].map(([key, item]) => firstSeenOf(item, known.get(key)))];
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
