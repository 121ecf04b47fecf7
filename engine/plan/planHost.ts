import { type FactQuery, type ItemKey, itemKey, type Reading, type Readings } from '../facts/fact.ts';
import type { MachineState } from '../facts/machine.ts';
import type { OwnedItem } from '../facts/owned.ts';
import type { KindPlan, Mended, Payloads, PlanContext, Seals } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import { operationNamed } from '../operations/registry.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { beforeOf, type Conceal } from './before.ts';
import { boundedFindings, cut } from './bounds.ts';
import { hostDigest } from './digest.ts';
import { mergeActions } from './mergeActions.ts';
import { orderSteps } from './order.ts';
import { planRemovals, yieldedItems } from './removals.ts';
import type { Finding, HostPlan, Step, StepDraft, StepReason } from './step.ts';

const OWNED: FactQuery = { fact: 'owned', key: 'all' };
const MACHINE: FactQuery = { fact: 'machine', key: 'all' };

/** For whom a plan is made. */
export interface Owner {
  /** `owner/name`: items that other repositories own are never taken. */
  readonly repository: string;
  /** Runs that have not ended: what they brought is not merged yet, so it has not left the YAML either. */
  readonly openRuns?: readonly string[];
}

export interface HostPlanInput extends Owner {
  readonly host: ResolvedHost;
  readonly readings: Readings;
  readonly payloads: Payloads;
  readonly seals?: Seals;
  readonly conceal?: Conceal;
  readonly mended?: Mended;
  /** Items whose desired state the pull request changes; undefined when there is no base to compare with. */
  readonly changedItems: ReadonlySet<ItemKey> | undefined;
  /** What comes up by itself is left out, unless it is of a document that the change touches. */
  readonly askedOnly?: boolean;
}

/** What the machine is; read when it is met for the first time. */
export const SYSTEM: FactQuery = { fact: 'system', key: 'all' };

/** Everything that must be read of a host, each item once. Items of the first document that asks win. */
export function hostQueries(host: ResolvedHost, extra: readonly FactQuery[] = []): readonly FactQuery[] {
  const needs = host.documents.flatMap((document) => kindOf(document).needs(document.spec));
  const byItem = new Map<ItemKey, FactQuery>();
  for (const query of [OWNED, MACHINE, ...extra, ...needs]) {
    const item = itemKey(query.fact, query.key);
    if (!byItem.has(item)) byItem.set(item, query);
  }
  return [...byItem.values()];
}

/** What only the first readings show to be needed, each item once; it has not been read yet. */
export function furtherQueries(host: ResolvedHost, readings: Readings): readonly FactQuery[] {
  const needs = host.documents.flatMap(
    (document) => kindOf(document).furtherNeeds?.(document.spec, readings) ?? [],
  );
  const byItem = new Map(needs.map((query) => [itemKey(query.fact, query.key), query]));
  return [...byItem].flatMap(([item, query]) => (readings.has(item) ? [] : [query]));
}

/** What the engine owns on the host according to the host itself. */
export function ownedItems(readings: Readings): readonly OwnedItem[] {
  return (
    (readings.get(itemKey(OWNED.fact, OWNED.key)) as Reading<readonly OwnedItem[]> | undefined)?.state ?? []
  );
}

function machineOf(readings: Readings): Pick<HostPlan, 'machine'> {
  const reading = readings.get(itemKey(MACHINE.fact, MACHINE.key)) as Reading<MachineState> | undefined;
  return reading?.state.id === undefined ? {} : { machine: reading.state.id };
}

/**
 * Owned items that the YAML no longer claims, or yields: they must be read as well before `planHost` can release them, since
 * their before-state belongs to the plan.
 */
export function abandonedItems(
  host: ResolvedHost,
  readings: Readings,
  { repository, openRuns = [] }: Owner,
): readonly OwnedItem[] {
  const yielded = yieldedItems(host, readings);
  const claimed = new Set(host.documents.flatMap(claimsOf).filter((item) => !yielded.has(item)));
  return ownedItems(readings).filter(
    (owned) => owned.repository === repository && !claimed.has(owned.item) && !isOf(openRuns, owned.run),
  );
}

/** A run's batches are named after it: `RUN-w0`. */
function isOf(runs: readonly string[], batch: string): boolean {
  return runs.some((run) => batch.startsWith(`${run}-w`));
}

/** Pure: the steps that lead one host from what was read to what is wanted. */
export function planHost(input: HostPlanInput): HostPlan {
  const { host, readings } = input;
  const owned = new Map(ownedItems(readings).map((item) => [item.item, item]));
  const planned = host.documents
    .filter((document) => isPlannedNow(document, input))
    .map((document) => ({
      document,
      plan: kindOf(document).plan(document.spec, readings, contextOf(input)),
    }));
  const changes = planned.flatMap(({ document, plan }) =>
    plan.steps.map((draft) => finishStep(draft, document, input, owned)),
  );
  const removals = planRemovals(host, abandonedItems(host, readings, input), readings, input.conceal);
  const steps = orderSteps([...removals, ...mergeActions(changes)]);
  const findings = boundedFindings([
    ...planned.flatMap(({ document, plan }) => remarks(document, plan, host)),
    ...foreignItems(steps, owned, input),
  ]);
  const unasked = host.documents.filter((document) => !isPlannedNow(document, input)).map(({ ref }) => ref);
  return {
    kind: 'host-plan',
    host: host.name,
    ...machineOf(readings),
    steps,
    findings,
    ...(unasked.length === 0 ? {} : { unasked }),
    digest: hostDigest(host.name, steps),
  };
}

/** An update that comes out while a pull request is under way is none of its business. */
function isPlannedNow(document: ResolvedDocument, { askedOnly, changedItems }: HostPlanInput): boolean {
  if (askedOnly !== true || changedItems === undefined || kindOf(document).ongoing !== true) return true;
  return claimsOf(document).some((item) => changedItems.has(item));
}

function contextOf({ host, payloads, seals = new Map(), mended }: HostPlanInput): PlanContext {
  return { payloads, seals, server: host.server, jumpFor: host.jumpFor ?? [], ...(mended && { mended }) };
}

function remarks(document: ResolvedDocument, plan: KindPlan, host: ResolvedHost): readonly Finding[] {
  const claimed = new Set(host.documents.flatMap(claimsOf));
  return plan.findings
    .filter((f) => f.unlessClaimed === undefined || !claimed.has(f.unlessClaimed))
    .map(({ severity, message, pointer, readBack, waits }) => {
      const position = pointer === undefined ? undefined : document.places?.[pointer];
      return {
        kind: 'finding',
        host: host.name,
        document: document.ref,
        severity,
        message,
        ...(position && { position }),
        ...(readBack && { readBack }),
        ...(waits && { waits }),
      };
    });
}

function claimsOf(document: ResolvedDocument): readonly ItemKey[] {
  return kindOf(document)
    .claims(document.spec)
    .map((claim) => claim.item);
}

/** Words of a step for people; hosts have a say in them, and a plan has a bound for all hosts together. Characters. */
const SUMMARY_MAX = 4_000;
const DIFF_MAX = 64_000;

function finishStep(
  draft: StepDraft,
  document: ResolvedDocument,
  input: HostPlanInput,
  owned: ReadonlyMap<ItemKey, OwnedItem>,
): Step {
  const items = operationNamed(draft.operation).items(draft.params);
  return Object.freeze({
    ...draft,
    summary: cut(draft.summary, SUMMARY_MAX),
    diff: cut(draft.diff, DIFF_MAX),
    kind: 'step',
    host: input.host.name,
    document: document.ref,
    wave: document.wave,
    onRemoval: document.onRemoval,
    reason: draft.reason ?? reasonOf(items, input, owned),
    absent: items.filter((item) => !isPresent(input.readings.get(item))),
    before: Object.fromEntries(
      items.map((item) => [item, beforeOf(input.readings.get(item), input.conceal)]),
    ),
  } satisfies Step);
}

/** Present unless the state says otherwise. */
function isPresent(reading: Reading | undefined): boolean {
  const state = reading?.state;
  return !(state !== null && typeof state === 'object' && 'present' in state && state.present === false);
}

function reasonOf(
  items: readonly ItemKey[],
  input: HostPlanInput,
  owned: ReadonlyMap<ItemKey, OwnedItem>,
): StepReason {
  if (items.length === 0) return 'change';
  const known = items.some((item) => owned.has(item));
  const asked = input.changedItems === undefined || items.some((item) => input.changedItems?.has(item));
  if (!asked) return 'drift';
  return !known && items.some((item) => isPresent(input.readings.get(item))) ? 'adoption' : 'change';
}

/** An item that another repository owns is an error of this plan: two owners would undo each other for ever. */
function foreignItems(
  steps: readonly Step[],
  owned: ReadonlyMap<ItemKey, OwnedItem>,
  input: HostPlanInput,
): readonly Finding[] {
  return steps.flatMap((step) =>
    Object.keys(step.before).flatMap((item): readonly Finding[] => {
      const owner = owned.get(item as ItemKey);
      if (owner === undefined || owner.repository === input.repository) return [];
      const message = `${item} belongs to ${owner.document} of the repository ${owner.repository}; remove it there first`;
      return [
        { kind: 'finding', severity: 'error', host: input.host.name, document: step.document, message },
      ];
    }),
  );
}
