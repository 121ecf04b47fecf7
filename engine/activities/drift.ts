import { ignoresStep } from '../drift/ignored.ts';
import { type DriftedItem, differences, merged, unjudged, waiting } from '../drift/resources.ts';
import { undoneOf } from '../drift/undone.ts';
import { ownIssues } from '../github/issues.ts';
import { recordName } from '../github/workflowIds.ts';
import { isOngoing } from '../kinds/registry.ts';
import type { Plan, Step } from '../plan/step.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import type { Held } from '../store/alone.ts';
import { type Decision, decideCorrections, planCorrection } from './correction.ts';
import { DRIFT_KEY, publishDrift } from './driftIssues.ts';
import { type Told, toldAtSites, toldBy } from './driftTraces.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { busyHosts, mergedPlans } from './notJudged.ts';
import { NO_PULL } from './planRef.ts';
import type { ResolvedTree } from './revisions.ts';
import type { BranchTip, DriftReport, FleetPlan, PlannedCorrection, RepositoryRef } from './types.ts';

/** Brings the issues of a repository to what was just read of its servers. Safe to repeat, not beside another one. */
export async function reportDrift(
  engine: Engine,
  repository: RepositoryRef,
  tip: BranchTip,
  { digest, problems, traces }: FleetPlan,
  held: Held,
): Promise<DriftReport> {
  const name = recordName(repository);
  const plan = await engine.store.plans.get(digest);
  if (plan === undefined) throw permanent(`the plan ${digest.slice(0, 8)} is not in the store`);
  const tree = await engine.revisions.resolveCommit(repository, tip.commit);
  const hosts = tree.resolution.hosts.map((host) => host.name);
  const planned = new Set(plan.hosts.map(({ host }) => host));
  await tellUnread(engine, name, problems, hosts.filter((host) => !planned.has(host)).length);
  const busy = await busyHosts(engine, name, tip.at);
  const read = new Set([...planned].filter((host) => !busy.has(host)));
  const reading = { plan, read, at: tip.at, traces };
  const items = await driftedItems(engine, name, tree.resolution, reading);
  const client = await engine.github.installationClient(repository.installationId);
  const open = (await ownIssues(client, repository)).filter((issue) => issue.key.startsWith(DRIFT_KEY));
  const decisions = await decideCorrections(engine, {
    repository: name,
    tree,
    plans: plan.hosts.filter(({ host }) => read.has(host)),
    issueOf: (document) => open.find(({ key }) => key === `${DRIFT_KEY}${document}`)?.number,
  });
  const issues = await publishDrift(client, engine.log, {
    repository,
    tip,
    digest,
    items: withDiffs(items, plan),
    decisions,
    open,
    held,
  });
  await held();
  await engine.store.drift.replace(name, items);
  await engine.store.drift.noteRead(name, tip.at);
  return {
    items: items.length,
    issues: [...issues.values()].filter((number) => number !== NO_PULL),
    skipped: hosts.filter((host) => !read.has(host)),
    corrections: await correctionsOf(engine, repository, tip, tree, decisions, issues),
    ...firstOpening(decisions),
  };
}

function firstOpening(decisions: readonly Decision[]): Pick<DriftReport, 'opensAt'> {
  const opensAt = Math.min(...decisions.flatMap((decision) => decision.opensAt ?? []));
  return Number.isFinite(opensAt) ? { opensAt } : {};
}

interface DriftReading {
  readonly traces: FleetPlan['traces'];
  readonly plan: Plan;
  /** Hosts that are judged by it. */
  readonly read: ReadonlySet<string>;
  /** Epoch ms. */
  readonly at: number;
}

/** What is known of the hosts of the repository, as of this reading. */
async function driftedItems(
  engine: Engine,
  repository: string,
  resolution: Resolution,
  { plan, read, at, traces }: DriftReading,
): Promise<readonly DriftedItem[]> {
  const before = (await engine.store.drift.of(repository)).filter((item) =>
    resolution.hosts.some((host) => host.name === item.host),
  );
  const steps = differences(plan, read);
  const told = { ...(await toldBy(engine, resolution, steps)), ...(await toldAtSites(engine, traces)) };
  const waits = waiting(plan, read, isOngoing).map((item) => ({ ...item, firstSeenAt: at }));
  const found = [...itemsOf(steps, told, at), ...waits];
  const known = merged(before, found, read, unjudged(plan));
  const undone = undoneOf(await mergedPlans(engine, repository, at));
  return withoutIgnored(
    known.filter((item) => !undone(item)),
    plan,
    resolution.hosts,
  );
}

/** Lines of the log about one reading; more are counted. */
const PROBLEMS_TOLD = 50;

/** A server that nobody reads any more must not look like one without drift. `unread`: servers. */
async function tellUnread(
  { log, store }: Engine,
  repository: string,
  problems: readonly string[],
  unread: number,
): Promise<void> {
  for (const problem of problems.slice(0, PROBLEMS_TOLD))
    log.warn({ repository, problem }, 'a server is not judged by the reading for drift, or not in all');
  const more = problems.length - PROBLEMS_TOLD;
  if (more > 0) log.warn({ repository, more }, 'more problems of the same reading for drift');
  await store.drift.noteUnread(repository, unread);
}

/** Corrections begun by one reading; the next reading begins those that are left. */
const CORRECTIONS_MAX = 20;

async function correctionsOf(
  engine: Engine,
  repository: RepositoryRef,
  tip: BranchTip,
  tree: ResolvedTree,
  decisions: readonly Decision[],
  issues: ReadonlyMap<string, number>,
): Promise<readonly PlannedCorrection[]> {
  const corrections: PlannedCorrection[] = [];
  for (const { document, plan, maintenance } of decisions
    .filter(({ plan }) => plan !== undefined)
    .slice(0, CORRECTIONS_MAX)) {
    const issue = issues.get(document);
    if (plan === undefined || issue === undefined) continue;
    corrections.push(
      await planCorrection(engine, repository, tip, tree, plan, {
        document,
        issue,
        ...(maintenance === undefined ? {} : { maintenance }),
      }),
    );
  }
  return corrections;
}

/** Also those that are known from before, and not ignored then. */
function withoutIgnored(
  items: readonly DriftedItem[],
  plan: Plan,
  hosts: readonly ResolvedHost[],
): readonly DriftedItem[] {
  const patterns = new Map(
    hosts.flatMap(({ documents }) => documents.map(({ ref, drift }) => [ref as string, drift?.ignore ?? []])),
  );
  const steps = new Map(
    plan.hosts.flatMap(({ host, steps }) => steps.map((step) => [JSON.stringify([host, step.id]), step])),
  );
  return items.filter(({ document, host, stepId }) => {
    const step = steps.get(JSON.stringify([host, stepId]));
    return step === undefined || !ignoresStep(step, patterns.get(document) ?? []);
  });
}

function itemsOf(steps: readonly Step[], told: Told, at: number): readonly DriftedItem[] {
  return steps.map(({ document, host, id, summary, diff, before }) => ({
    document,
    host,
    stepId: id,
    summary,
    diff,
    firstSeenAt: at,
    traces: Object.keys(before).flatMap((item) => told[host]?.[item] ?? []),
  }));
}

/** The store keeps no diffs; those of servers that were not read now are left out. */
function withDiffs(items: readonly DriftedItem[], plan: Plan): readonly DriftedItem[] {
  const steps = plan.hosts.flatMap((host) => host.steps);
  return items.map((item) => {
    const step = steps.find((candidate) => candidate.host === item.host && candidate.id === item.stepId);
    return { ...item, diff: step?.diff ?? '' };
  });
}
