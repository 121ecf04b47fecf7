import { BUTTONS, type CheckAction } from '../github/checks.ts';
import { mergerOf } from '../github/merger.ts';
import { getPull } from '../github/pulls.ts';
import type { PlanName, PlanView } from '../github/render/views.ts';
import { recordName } from '../github/workflowIds.ts';
import { batchPayloads } from '../operations/batch.ts';
import type { Plan } from '../plan/step.ts';
import { POLICY_FILE } from '../spec/policy.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { type Assembled, assemble } from './assemble.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { keepFirstSeen, newHosts } from './firstSeen.ts';
import { meetAndPlan } from './firstUse.ts';
import { gatePull, POLICY_REMARK } from './gate.ts';
import { mergedAfter } from './mergedLater.ts';
import { withPortAdvice } from './movedPort.ts';
import { recordOverride } from './overrides.ts';
import { type HostPlanning, type Planning, planHosts } from './planning.ts';
import { planRef } from './planRef.ts';
import { recordPlan } from './recordPlan.ts';
import type { DesiredHosts, ResolvedRevision } from './revisions.ts';
import { skipAway, withRollout } from './rollout.ts';
import { type CheckState, planCheck, type Shown, showCheck, showNewest } from './show.ts';
import { plannedElsewhere } from './sites.ts';
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
import { validatePull } from './validate.ts';
import { validateGroup } from './validateGroup.ts';

type Planned = Pick<
  PullActivities,
  'readPull' | 'forgetPull' | 'validatePull' | 'validateGroup' | 'planPull' | 'gatePull' | 'recordOverride'
>;

/** From a pull request to a plan that is shown and judged. */
export function pullActivities(engine: Engine): Planned {
  return {
    readPull: (pull) => readPull(engine, pull),
    forgetPull: ({ repository, number }, open) =>
      engine.store.pulls.seen(recordName(repository), { number, headSha: '', open }),
    validatePull: (pull, revision, fork) => validatePull(engine, pull, revision, fork),
    planPull: (pull, revision, previous, parts) => planPull(engine, pull, revision, previous, parts),
    gatePull: (pull, plan, context) => gatePull(engine, pull, plan, context),
    recordOverride: (pull, plan, request, lifted) => recordOverride(engine, pull, plan, request, lifted),
    validateGroup: (repository, group) => validateGroup(engine, repository, group),
  };
}

async function readPull(engine: Engine, { repository, number }: PullRef): Promise<PullSnapshot> {
  const client = await engine.github.installationClient(repository.installationId);
  const pull = await getPull(client, repository, number);
  const { headSha, headRef, baseSha, baseRef, author, draft, fork, mergedBy } = pull;
  const state = pull.merged ? 'merged' : pull.state;
  await engine.store.pulls.seen(fullName({ repository, number }), {
    number,
    headSha,
    open: state === 'open',
  });
  return {
    headSha,
    headRef,
    baseSha,
    baseRef,
    author,
    draft,
    fork,
    state,
    mergeSha: pull.mergeSha,
    ...(mergedBy === undefined ? {} : { mergedBy: await mergerOf(client, repository, number, mergedBy) }),
  };
}

async function planPull(
  engine: Engine,
  pull: PullRef,
  revision: Revision,
  previous: PlanRef | undefined,
  parts: readonly SitePart[] = [],
): Promise<PlanOutcome> {
  const { headSha } = revision;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const resolved = await validRevision(engine, pull, revision);
  const show = (
    state: CheckState,
    view: Shown['view'],
    actions: readonly CheckAction[] = [],
    name?: PlanName,
  ): Promise<void> => {
    const whole = name === undefined ? {} : { digest: name.digest, planUrl: name.url };
    return showCheck(client, pull, { ...planCheck(revision.headSha), state, view, actions, ...whole });
  };
  const [{ plannings, hosts }] = await Promise.all([
    meetAndPlan(
      engine,
      { repository: fullName(pull), pull: pull.number, headSha },
      resolved,
      parts,
      (changed) =>
        planRevision(engine, pull, { ...resolved, changed }, headSha, {
          parts,
          mergedLater: mergedAfter(engine, pull.repository, revision.baseSha),
        }),
    ),
    resolved.changed.length === 0
      ? undefined
      : show({ status: 'in_progress' }, planning(resolved.changed.length)),
  ]);
  const { kept, skipped } = skipAway(withPortAdvice(plannings, resolved), hosts);
  const made = withRollout(assemble(kept, resolved.dropped, skipped), hosts);
  if (made.problems.length > 0 || made.errors.length > 0) {
    const name = await recordPlan(engine, pull, revision, made);
    const view = planView(made, name, waitedFor(made), `/${engine.config.botName} plan`);
    await show({ status: 'completed', conclusion: 'failure' }, view, [BUTTONS.plan], name);
    await showNewest(client, pull, revision.headSha, view, name);
    const reason = [...made.problems.map((p) => p.message), ...made.errors].join('; ');
    return { kind: 'failed', reason, ...(onlyAway(made) ? { away: true } : {}) };
  }
  if (await isIdle(engine, pull, revision, made.plan)) {
    const reason = resolved.changed.length === 0 ? ('no-change' as const) : ('already-so' as const);
    const findings = made.plan.hosts.flatMap((host) => host.findings);
    const paths = await engine.revisions.changedPaths(pull, revision);
    const remarks = paths.includes(POLICY_FILE) ? [POLICY_REMARK] : [];
    const isEmpty = made.plan.hosts.length === 0;
    const name = isEmpty ? undefined : await recordPlan(engine, pull, revision, made);
    const view = { kind: 'nothing-to-do' as const, name: name ?? revision, reason, findings, remarks };
    await show({ status: 'completed', conclusion: 'success' }, view, [], name);
    await showNewest(client, pull, revision.headSha, view, name);
    return { kind: 'nothing-to-do' };
  }
  await storePlan(engine, pull, revision, made.plan, resolved);
  const plan = planRef(
    made.plan,
    revision,
    { ...resolved, changed: hosts },
    previous,
    skipped.map(({ host }) => host),
    engine.github.now(),
  );
  await auditPlan(engine, pull, plan);
  return { kind: 'planned', plan };
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

/** Time alone may mend it: the pull request's workflow makes the plan again by itself. */
function onlyAway({ problems, errors }: Assembled): boolean {
  return errors.length === 0 && problems.every(({ away }) => away);
}

/** What must happen before there can be a plan. */
function waitedFor(made: Assembled): readonly string[] {
  const { problems, errors } = made;
  const again = onlyAway(made) ? ' (tried again by itself for a day)' : '';
  const hosts = problems.map((problem) => problem.host);
  return [
    ...(hosts.length === 0 ? [] : [`${hosts.join(', ')} to be readable${again}`]),
    ...(errors.length === 0 ? [] : ['what forbids the plan to be mended']),
  ];
}

function planView(
  made: Assembled,
  name: PlanView['name'],
  waiting: readonly string[],
  command: string,
): PlanView {
  return {
    kind: 'plan',
    plan: made.plan,
    name,
    waiting,
    next: { command },
    firstSeen: [],
    unreachable: made.problems,
  };
}

export function fullName({ repository }: PullRef): string {
  return recordName(repository);
}
