import { recordName } from '../github/workflowIds.ts';
import type { Payloads } from '../kinds/kind.ts';
import { batchPayloads } from '../operations/batch.ts';
import { cut } from '../plan/bounds.ts';
import { planDigest } from '../plan/digest.ts';
import type { Plan } from '../plan/step.ts';
import { errorsByOwnPolicy } from '../spec/check.ts';
import type { Resolution } from '../spec/resolution.ts';
import { keepTold } from './driftTraces.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { HOSTS_PER_ACTIVITY } from './hostsPerActivity.ts';
import { mergedAfter } from './mergedLater.ts';
import { type HostPlanning, planHosts } from './planning.ts';
import { NO_PULL } from './planRef.ts';
import { securityActivities } from './security.ts';
import { keepSettled } from './settling.ts';
import { elsewhereOf, joined, unservedText } from './sites.ts';
import type { FleetActivities, FleetPart, FleetPlan, FleetRevision } from './types.ts';

/** Plans whole commits and reads their servers, for drift, reports and the benchmark. */
export function fleetActivities(engine: Engine): FleetActivities {
  return {
    planFleet: (revision, start, site) => planFleet(engine, revision, start, site),
    joinFleet: (revision, parts, unserved) => joinFleet(engine, revision, parts, unserved),
    ...securityActivities(engine),
  };
}

async function planFleet(
  engine: Engine,
  revision: FleetRevision,
  start: number,
  site: string | undefined,
): Promise<FleetPart> {
  if (revision.drift === true) await engine.store.drift.expectReading(nameOf(revision), Date.now());
  const tree = await engine.revisions.resolveCommit(revision.repository, revision.commit);
  const { resolution } = tree;
  const [problem] = errorsByOwnPolicy(tree);
  if (problem !== undefined) throw invalid(engine, revision, problem.message);
  const away = site === undefined ? elsewhereOf(engine, resolution.hosts) : {};
  const all = resolution.hosts.filter(({ server }) =>
    site === undefined ? away.elsewhere?.includes(server.site) !== true : server.site === site,
  );
  const end = start + HOSTS_PER_ACTIVITY;
  const hosts = all.slice(start, end);
  const readAt = Date.now();
  const plannings = await planHosts(engine, {
    hosts,
    payloads: resolution.payloads,
    repository: nameOf(revision),
    changedItems: () => (revision.drift === true ? new Set() : undefined),
    openRuns: (await engine.store.runs.openStates()).map(({ id }) => id),
    mergedLater: mergedAfter(engine, revision.repository, revision.commit),
  });
  if (revision.drift === true)
    await keepSettled(engine, nameOf(revision), hosts, plannings, { probed: false, readAt });
  const plan = await store(engine, revision, planOf(plannings), resolution.payloads);
  const traces = await tracesAt(engine, revision, site, resolution, planOf(plannings));
  const total = all.length;
  const problems = problemsOf(plannings);
  return { plan: { ...plan, problems, ...traces }, total, next: end < total ? end : undefined, ...away };
}

/** Of a branch that is not valid nothing can be read; its issues stay as they are. */
function invalid({ log }: Engine, revision: FleetRevision, problem: string): Error {
  const { commit, drift } = revision;
  if (drift === true)
    log.warn(
      { repository: nameOf(revision), commit, problem },
      'the default branch is not valid, so its servers are not read for drift',
    );
  return permanent(`${commit} is not valid: ${problem}`);
}

/** Only here can the logs of the site's servers be read; of others, whoever reports what differs asks them. */
async function tracesAt(
  engine: Engine,
  { drift }: FleetRevision,
  site: string | undefined,
  resolution: Resolution,
  plan: Plan,
): Promise<Pick<FleetPlan, 'traces'>> {
  if (drift !== true || site === undefined) return {};
  const kept = await keepTold(engine, resolution, plan);
  return kept === undefined ? {} : { traces: [kept] };
}

async function joinFleet(
  engine: Engine,
  revision: FleetRevision,
  parts: readonly FleetPlan[],
  unserved: readonly string[] = [],
): Promise<FleetPlan> {
  const plans = await Promise.all(parts.map((part) => storedPlan(engine, part.digest)));
  const { resolution } = await engine.revisions.resolveCommit(revision.repository, revision.commit);
  const plan = joined(plans, resolution.hosts);
  const stored = await store(engine, revision, plan, resolution.payloads);
  const problems = [...parts.flatMap((part) => part.problems), ...unserved.map(unservedText)];
  const traces = parts.flatMap((part) => part.traces ?? []);
  return { ...stored, problems, ...(traces.length === 0 ? {} : { traces }) };
}

async function storedPlan(engine: Engine, digest: string): Promise<Plan> {
  const plan = await engine.store.plans.get(digest);
  if (plan === undefined) throw permanent(`the plan ${digest.slice(0, 8)} is not in the store; plan again`);
  return plan;
}

function planOf(plannings: readonly HostPlanning[]): Plan {
  const hosts = plannings.flatMap((planning) => (planning.kind === 'planned' ? [planning.plan] : []));
  return { kind: 'plan', hosts, digest: planDigest(hosts) };
}

/** Of one server, in a result that tells of all. Characters. */
const PROBLEM_MAX = 1_000;

/** At most one of each server: errors of its plan, or why there is none. */
export function problemsOf(plannings: readonly HostPlanning[]): readonly string[] {
  return plannings.flatMap((planning) => {
    if (planning.kind === 'problem') return [cut(planning.message, PROBLEM_MAX)];
    const { host, findings } = planning.plan;
    const errors = findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
    return errors.length === 0 ? [] : [cut(`${host}: ${errors.join('; ')}`, PROBLEM_MAX)];
  });
}

/** Stored with the contents that applying it would need. */
async function store(
  engine: Engine,
  revision: FleetRevision,
  plan: Plan,
  payloads: Payloads,
): Promise<Omit<FleetPlan, 'problems'>> {
  const steps = plan.hosts.flatMap((host) => host.steps);
  const repository = nameOf(revision);
  const wanted = batchPayloads({ kind: 'batch', run: 'plan', repository, steps });
  await engine.store.blobs.put(wanted.flatMap((sha256) => payloads.get(sha256) ?? []));
  const { commit } = revision;
  await engine.store.plans.save(
    plan,
    { repository, number: NO_PULL, headSha: commit, baseSha: commit },
    wanted,
  );
  return { digest: plan.digest, hosts: plan.hosts.length, steps: steps.length };
}

function nameOf({ repository }: FleetRevision): string {
  return recordName(repository);
}
