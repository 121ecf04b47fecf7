import { Context } from '@temporalio/activity';
import type { GitHubClient } from '../github/client.ts';
import { branchTip, getPull, type PullRequest } from '../github/pulls.ts';
import type { Json } from '../operations/operation.ts';
import { uncovered } from '../plan/digest.ts';
import type { Plan, Step } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { PolicyWindow } from '../spec/types.generated.ts';
import { assemble } from './assemble.ts';
import { entryOf, grounds } from './auditRun.ts';
import { differenceSentence } from './difference.ts';
import type { Engine } from './engine.ts';
import { fencesFor } from './fences.ts';
import { type Judged, judgePull } from './gate.ts';
import { awaitsHosts, planPatiently } from './patientPlanning.ts';
import { pinRun } from './pinnedRun.ts';
import type { HostPlanning } from './planning.ts';
import { type PlanningOptions, planRevision } from './pull.ts';
import { refusalOfRun } from './refusal.ts';
import type { DesiredHosts, ResolvedRevision } from './revisions.ts';
import { skipAway, withRollout } from './rollout.ts';
import { revisionOf } from './runRevision.ts';
import { unservedHosts, unservedText } from './sites.ts';
import type { ConfirmOutcome, RunRef, SitePart, WindowShut } from './types.ts';

/** Some 30 events of a history each time. */
const LOOK_AFTER_MS = 30_000;

/**
 * The approval covers the head and the plan on fresh facts; anything else voids it, with the difference. Where the base
 * has moved, the merge into its tip is planned, and must give the very plan that was approved: then the run is one
 * of that base.
 */
export async function confirmPlan(
  engine: Engine,
  asked: RunRef,
  parts: readonly SitePart[] = [],
): Promise<ConfirmOutcome> {
  const { pull, plan } = asked;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const now = await getPull(client, pull.repository, pull.number);
  const other = otherThanPlanned(asked, now);
  if (other !== undefined) return { kind: 'changed', reason: other };
  const run = await onTip(client, asked, now);
  const moved = run.plan.baseSha !== plan.baseSha;
  const again = {
    kind: 'changed',
    reason: `${now.baseRef} has moved since the plan; planning again`,
  } as const;
  // what the workers of sites have read is of the base that was planned
  if (moved && parts.length > 0) return again;
  const resolved = await engine.revisions.resolve(pull, revisionOf(run));
  if (resolved.kind === 'conflict')
    return { kind: 'changed', reason: 'the branch conflicts with its base now' };
  const judged = await judgePull(engine, pull, run.plan, run.context ?? {});
  const { verdict } = judged;
  if (!verdict.ready) return { kind: 'changed', reason: notReady(judged) };
  const refused = await refusalOfRun(engine, client, run);
  if (refused !== undefined)
    return { kind: 'changed', reason: `${run.actor} may not apply it any more: ${refused}` };
  const fenceOf = await fencesFor(engine, run.run);
  const plannings = await planRun(engine, run, resolved, { parts, fenceOf });
  if (moved && (resolved.errors.length > 0 || digestOf(plannings, resolved) !== plan.digest)) return again;
  const differs = moved ? undefined : await difference(engine, run, plannings);
  if (differs !== undefined) return { kind: 'changed', reason: differs };
  if (moved) await keepRef(engine, run);
  await pinRun(engine, run, resolved);
  await keepGrounds(engine, run, judged);
  return { ...unchangedUnder(verdict.windows), ...(moved ? { baseSha: run.plan.baseSha } : {}) };
}

/** Where the policy has windows, they are asked for again before each further batch. */
export function unchangedUnder(windows: readonly PolicyWindow[]): ConfirmOutcome {
  return windows.length === 0 ? { kind: 'unchanged' } : { kind: 'unchanged', windows };
}

/**
 * In the middle of a run, once a window has opened: does the policy of now still let it go on, and is what is left the approved
 * plan? The base may have moved meanwhile; what was begun is finished on its own. `leftOut`: hosts that are not changed any more.
 */
export async function confirmRest(
  engine: Engine,
  run: RunRef,
  leftOut: readonly string[],
  parts: readonly SitePart[] = [],
): Promise<ConfirmOutcome | WindowShut> {
  const { pull, plan } = run;
  const client = await engine.github.installationClient(pull.repository.installationId);
  const ended = otherThanBegun(run, await getPull(client, pull.repository, pull.number));
  if (ended !== undefined) return { kind: 'changed', reason: ended };
  const judged = await judgePull(engine, pull, plan, run.context ?? {}, true);
  const { ready, opensAt, windows } = judged.verdict;
  if (opensAt !== undefined) return { kind: 'shut', until: new Date(opensAt).toISOString() };
  if (!ready) return { kind: 'changed', reason: notReady(judged) };
  const resolved = await engine.revisions.resolve(pull, revisionOf(run));
  if (resolved.kind === 'conflict') return { kind: 'changed', reason: 'the branch conflicts with its base' };
  const changed = resolved.changed.filter(({ name }) => !leftOut.includes(name));
  const unserved = unservedHosts(parts, changed);
  if (unserved.length > 0 && !awaitsHosts(plan)) return untilServed(engine, unserved);
  const plannings = await planRun(engine, run, { ...resolved, changed }, { parts });
  const none = [...leftOut, ...unserved.map(({ name }) => name)];
  const rest = plannings.filter((planning) => !none.includes(hostOf(planning)));
  const other = await difference(engine, run, rest);
  if (other !== undefined) return { kind: 'changed', reason: other };
  await keepGrounds(engine, run, judged);
  return unchangedUnder(windows);
}

/** Not `changed`: a site whose workers went away in the middle of a run is waited for. */
function untilServed({ github }: Engine, hosts: readonly ResolvedHost[]): WindowShut {
  const sites = [...new Set(hosts.map(({ server }) => server.site))];
  return {
    kind: 'shut',
    until: new Date(github.now().getTime() + LOOK_AFTER_MS).toISOString(),
    unserved: { hosts: hosts.map(({ name }) => name), reason: sites.map(unservedText).join('; ') },
  };
}

/** Each time that a run is judged, which is once more after each window; a retry is the same activity. */
function keepGrounds({ store }: Engine, run: RunRef, judged: Judged): Promise<void> {
  const { activityId } = Context.current().info;
  return store.audit.append(entryOf(run, 'confirm', grounds(judged), activityId));
}

/** A host that does not answer is waited for; where the rollout has a rule of its own for those, it is a result. */
function planRun(
  engine: Engine,
  { pull, plan }: RunRef,
  resolved: DesiredHosts,
  options: PlanningOptions,
): Promise<readonly HostPlanning[]> {
  const planning = awaitsHosts(plan) ? planRevision : planPatiently;
  return planning(engine, pull, resolved, plan.headSha, options);
}

function hostOf(planning: HostPlanning): string {
  return planning.kind === 'problem' ? planning.host : planning.plan.host;
}

function notReady({ verdict }: Judged): string {
  return `it is not ready any more. Missing: ${verdict.missing.join('; ')}`;
}

/** Undefined: what was approved is what would be merged now, or is merged. */
function otherThanPlanned(run: RunRef, now: PullRequest): string | undefined {
  if (run.mergeSha !== undefined) return otherMerge(run.mergeSha, now);
  if (now.merged) return 'the pull request was merged before anything was applied';
  if (now.state !== 'open') return 'the pull request was closed before anything was applied';
  return otherHead(run, now);
}

/** The same in the middle of a run: whoever merges by hand meanwhile does what the run would do at its end. */
function otherThanBegun(run: RunRef, now: PullRequest): string | undefined {
  if (run.mergeSha !== undefined) return otherMerge(run.mergeSha, now);
  if (!now.merged && now.state !== 'open') return 'the pull request was closed meanwhile';
  return otherHead(run, now);
}

function otherMerge(mergeSha: string, now: PullRequest): string | undefined {
  return now.mergeSha === mergeSha ? undefined : 'the pull request is not merged as that commit';
}

function otherHead({ plan }: RunRef, { headSha, merged }: PullRequest): string | undefined {
  if (headSha === plan.headSha) return undefined;
  const what = merged
    ? 'a newer commit was merged than the one that was planned'
    : 'a newer commit was pushed';
  return `${what}; its plan needs an approval of its own`;
}

async function onTip(client: GitHubClient, run: RunRef, { baseRef }: PullRequest): Promise<RunRef> {
  if (run.mergeSha !== undefined) return run;
  const baseSha = await branchTip(client, run.pull.repository, baseRef);
  return { ...run, plan: { ...run.plan, baseSha } };
}

/** On the same base: undefined where every step of the fresh plan is in the approved one. */
async function difference(
  { store }: Engine,
  { plan }: RunRef,
  plannings: readonly HostPlanning[],
): Promise<string | undefined> {
  const approved = await store.plans.get(plan.digest);
  const made = assemble(plannings);
  const problem = made.problems.find(({ away }) => !(away && awaitsHosts(plan)));
  if (problem !== undefined) return problem.message;
  const other = made.plan.hosts.flatMap(({ host, steps }) =>
    plan.skipped?.includes(host) === true ? [] : uncovered(stepsOf(approved, host), steps),
  );
  return other.length === 0 ? undefined : differenceSentence(other);
}

function stepsOf(plan: Plan | undefined, host: string): readonly Step[] {
  return plan?.hosts.find((candidate) => candidate.host === host)?.steps ?? [];
}

/** As planning would make it now; undefined where it would fail. */
function digestOf(
  plannings: readonly HostPlanning[],
  { changed, dropped, merged }: Extract<ResolvedRevision, { kind: 'resolved' }>,
): string | undefined {
  const { kept, skipped } = skipAway(plannings, changed);
  const made = withRollout(assemble(kept, dropped, skipped), merged.hosts);
  return made.problems.length > 0 || made.errors.length > 0 ? undefined : made.plan.digest;
}

/** Whoever undoes the run later finds the base that it was one of. */
async function keepRef({ store }: Engine, run: RunRef): Promise<void> {
  const detail = (await store.runs.get(run.run))?.detail as { readonly [name: string]: Json } | undefined;
  await store.runs.update(run.run, { detail: { ...detail, ref: run as unknown as Json } });
}
