import { mergerOf } from '../github/merger.ts';
import { getPull } from '../github/pulls.ts';
import { recordName } from '../github/workflowIds.ts';
import { batchPayloads } from '../operations/batch.ts';
import type { Plan } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { withAhead } from './ahead.ts';
import { assemble } from './assemble.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { keepFirstSeen, newHosts } from './firstSeen.ts';
import { type MetAndPlanned, meetAndPlan } from './firstUse.ts';
import { gatePull } from './gate.ts';
import { mergedAfter } from './mergedLater.ts';
import { withPortAdvice } from './movedPort.ts';
import { recordOverride } from './overrides.ts';
import { endFailed, endIdle } from './planEnds.ts';
import { type HostPlanning, type Planning, planHosts } from './planning.ts';
import { planRef } from './planRef.ts';
import type { DesiredHosts, ResolvedRevision } from './revisions.ts';
import { skipAway, withRollout } from './rollout.ts';
import { planCheck, type Shown, showCheck } from './show.ts';
import { plannedElsewhere, withMatesElsewhere } from './sites.ts';
import { withTakenBack } from './takenBack.ts';
import { isIdle } from './targets.ts';
import type {
  PlanOutcome,
  PlanRef,
  PullActivities,
  PullRef,
  PullSnapshot,
  Revision,
  SitePart,
} from './types.ts';
import { unpinnedErrors } from './unpinned.ts';
import { revertUnplanned } from './unplanned.ts';
import { validatePull } from './validate.ts';
import { validateGroup } from './validateGroup.ts';

/** The rest of them is what people ask for (requests.ts). */
export type PlannedActivities = Pick<
  PullActivities,
  | 'readPull'
  | 'forgetPull'
  | 'validatePull'
  | 'validateGroup'
  | 'planPull'
  | 'gatePull'
  | 'recordOverride'
  | 'revertUnplanned'
>;

/** From a pull request to a plan that is shown and judged. */
export function pullActivities(engine: Engine): PlannedActivities {
  return {
    readPull: (pull) => readPull(engine, pull),
    forgetPull: ({ repository, number }, open) =>
      engine.store.pulls.seen(recordName(repository), { number, headSha: '', open }),
    validatePull: (pull, revision, fork) => validatePull(engine, pull, revision, fork),
    planPull: (pull, revision, previous, parts) => planPull(engine, pull, revision, previous, parts),
    gatePull: (pull, plan, context) => withAhead(engine, () => gatePull(engine, pull, plan, context)),
    recordOverride: (pull, plan, request, lifted) => recordOverride(engine, pull, plan, request, lifted),
    validateGroup: (repository, group) => validateGroup(engine, repository, group),
    revertUnplanned: (pull, before) => revertUnplanned(engine, pull, before),
  };
}

async function readPull(engine: Engine, { repository, number }: PullRef): Promise<PullSnapshot> {
  const client = await engine.github.installationClient(repository.installationId);
  const pull = await getPull(client, repository, number);
  const { headSha, headRef, baseSha, baseRef, defaultBranch, author, draft, fork, mergedBy } = pull;
  const state = pull.merged ? 'merged' : pull.state;
  const merger = mergedBy === undefined ? undefined : await mergerOf(client, repository, number, mergedBy);
  const name = fullName({ repository, number });
  const isNews = state === 'merged' && !(await engine.store.pulls.isKnownClosed(name, number));
  // last: tried again, it would not be news any more
  await engine.store.pulls.seen(name, { number, headSha, open: state === 'open' });
  return {
    headSha,
    headRef,
    baseSha,
    baseRef,
    defaultBranch,
    author,
    draft,
    fork,
    state,
    mergeSha: pull.mergeSha,
    seenAt: engine.github.now().getTime(),
    ...(merger === undefined ? {} : { mergedBy: merger }),
    ...(isNews ? { isNews } : {}),
  };
}

async function planPull(
  engine: Engine,
  pull: PullRef,
  revision: Revision,
  previous: PlanRef | undefined,
  parts: readonly SitePart[] = [],
): Promise<PlanOutcome> {
  const client = await engine.github.installationClient(pull.repository.installationId);
  const resolved = await validRevision(engine, pull, revision);
  const [{ plannings, hosts }] = await Promise.all([
    readAndPlan(engine, pull, revision, resolved, parts),
    resolved.changed.length === 0
      ? undefined
      : showCheck(client, pull, {
          ...planCheck(revision.headSha),
          state: { status: 'in_progress' },
          view: planning(resolved.changed.length),
          actions: [],
        }),
  ]);
  const told = await withTakenBack(engine, client, pull, withPortAdvice(plannings, resolved));
  const { kept, skipped } = skipAway(told, hosts);
  const made = withRollout(assemble(kept, resolved.dropped, skipped), resolved.merged.hosts);
  if (made.problems.length > 0 || made.errors.length > 0)
    return endFailed(engine, client, pull, revision, made);
  if (await isIdle(engine, pull, revision, made.plan)) {
    const reason = resolved.changed.length === 0 ? 'no-change' : 'already-so';
    return endIdle(engine, client, pull, revision, made, reason);
  }
  await storePlan(engine, pull, revision, made.plan, resolved);
  const ref = planRef(
    made.plan,
    revision,
    { ...resolved, changed: hosts },
    previous,
    skipped.map(({ host }) => host),
    engine.github.now(),
  );
  const plan = withMatesElsewhere(engine, ref, made.plan, resolved.merged.hosts);
  await auditPlan(engine, pull, plan);
  return { kind: 'planned', plan };
}

function readAndPlan(
  engine: Engine,
  pull: PullRef,
  { headSha, baseSha }: Revision,
  resolved: Extract<ResolvedRevision, { kind: 'resolved' }>,
  parts: readonly SitePart[],
): Promise<MetAndPlanned> {
  const meeting = { repository: fullName(pull), pull: pull.number, headSha };
  return meetAndPlan(engine, meeting, resolved, parts, (changed) =>
    planRevision(engine, pull, { ...resolved, changed }, headSha, {
      parts,
      mergedLater: mergedAfter(engine, pull.repository, baseSha),
    }),
  );
}

async function validRevision(
  engine: Engine,
  pull: PullRef,
  revision: Revision,
): Promise<Extract<ResolvedRevision, { kind: 'resolved' }>> {
  const resolved = await engine.revisions.resolve(pull, revision);
  const valid =
    resolved.kind !== 'conflict' &&
    resolved.errors.length === 0 &&
    (await unpinnedErrors(engine, pull, resolved)).length === 0;
  if (!valid) throw permanent('a revision that is not valid cannot be planned');
  return resolved;
}

function planning(servers: number): Shown['view'] {
  const title = `Reading ${servers} ${servers === 1 ? 'server' : 'servers'}`;
  return { kind: 'words', title, body: 'The plan follows as soon as all of them have answered.' };
}

function auditPlan(engine: Engine, pull: PullRef, plan: PlanRef): Promise<void> {
  return engine.store.audit.append({
    who: 'doaas',
    what: 'plan',
    repository: fullName(pull),
    pull: pull.number,
    headSha: plan.headSha,
    digest: plan.digest,
  });
}

export interface PlanningOptions extends Pick<Planning, 'fenceOf' | 'mergedLater'> {
  /** What the workers of other sites have read of the revision. */
  readonly parts?: readonly SitePart[];
}

/** Reads and plans every changed host of the revision. */
export async function planRevision(
  engine: Pick<Engine, 'transport' | 'store' | 'secrets' | 'tracker'>,
  pull: PullRef,
  resolved: DesiredHosts,
  headSha: string,
  { parts = [], ...rest }: PlanningOptions = {},
): Promise<readonly HostPlanning[]> {
  const hosts = resolved.changed.filter(({ server }) => !parts.some(({ site }) => site === server.site));
  const unseen = await newHosts(engine, hosts);
  const plannings = await planHosts(engine, {
    hosts,
    payloads: new Map([...resolved.base.payloads, ...resolved.merged.payloads]),
    known: [resolved.base],
    repository: fullName(pull),
    openRuns: (await engine.store.runs.openStates()).map(({ id }) => id),
    changedItems: resolved.changedItems,
    askedOnly: resolved.isCorrection !== true,
    isNew: (host) => unseen.has(host.name),
    ...rest,
  });
  await keepFirstSeen(engine, hosts, plannings, headSha);
  return inOrder(
    [...plannings, ...(await plannedElsewhere(engine, parts, resolved.changed))],
    resolved.changed,
  );
}

function inOrder(
  plannings: readonly HostPlanning[],
  hosts: readonly ResolvedHost[],
): readonly HostPlanning[] {
  const place = new Map(hosts.map(({ name }, i) => [name, i]));
  const placeOf = (planning: HostPlanning): number =>
    place.get(planning.kind === 'planned' ? planning.plan.host : planning.host) ?? 0;
  return [...plannings].sort((a, b) => placeOf(a) - placeOf(b));
}

async function storePlan(
  engine: Engine,
  pull: PullRef,
  revision: Revision,
  plan: Plan,
  resolved: Extract<ResolvedRevision, { kind: 'resolved' }>,
): Promise<void> {
  const steps = plan.hosts.flatMap((host) => host.steps);
  const wanted = batchPayloads({ kind: 'batch', run: 'plan', repository: fullName(pull), steps });
  const payloads = wanted.flatMap((sha256) => resolved.merged.payloads.get(sha256) ?? []);
  await engine.store.blobs.put(payloads);
  await engine.store.plans.save(
    plan,
    { repository: fullName(pull), number: pull.number, ...revision },
    wanted,
  );
}

export function fullName({ repository }: PullRef): string {
  return recordName(repository);
}
