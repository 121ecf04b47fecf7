import type { GitHubClient } from '../github/client.ts';
import { branchTip, getPull, type PullRequest } from '../github/pulls.ts';
import type { Json } from '../operations/operation.ts';
import { coveredBy } from '../plan/digest.ts';
import type { Plan, Step } from '../plan/step.ts';
import { assemble } from './assemble.ts';
import { entryOf, grounds } from './auditRun.ts';
import type { Engine } from './engine.ts';
import { fencesFor } from './fences.ts';
import { judgePull } from './gate.ts';
import type { HostPlanning } from './planning.ts';
import { planRevision } from './pull.ts';
import type { ResolvedRevision } from './revisions.ts';
import { skipAway, withRollout } from './rollout.ts';
import { revisionOf } from './runRevision.ts';
import type { ConfirmOutcome, RunRef, SitePart } from './types.ts';

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
  if (!verdict.ready)
    return { kind: 'changed', reason: `it is not ready any more. Missing: ${verdict.missing.join('; ')}` };
  const fenceOf = await fencesFor(engine, run.run);
  const plannings = await planRevision(engine, pull, resolved, plan.headSha, parts, fenceOf);
  if (moved && (resolved.errors.length > 0 || digestOf(plannings, resolved) !== plan.digest)) return again;
  const outcome: ConfirmOutcome = moved
    ? { kind: 'unchanged', baseSha: run.plan.baseSha }
    : compared(run, plannings, await engine.store.plans.get(plan.digest));
  if (outcome.kind === 'changed') return outcome;
  if (moved) await keepRef(engine, run);
  await engine.store.audit.append(entryOf(run, 'confirm', grounds(judged)));
  return outcome;
}

/** Undefined: what was approved is what would be merged now, or is merged. */
function otherThanPlanned({ plan, mergeSha }: RunRef, now: PullRequest): string | undefined {
  if (mergeSha !== undefined)
    return now.mergeSha === mergeSha ? undefined : 'the pull request is not merged as that commit';
  if (now.state !== 'open') return 'the pull request was closed before anything was applied';
  return now.headSha === plan.headSha
    ? undefined
    : 'a newer commit was pushed; its plan needs an approval of its own';
}

async function onTip(client: GitHubClient, run: RunRef, { baseRef }: PullRequest): Promise<RunRef> {
  if (run.mergeSha !== undefined) return run;
  const baseSha = await branchTip(client, run.pull.repository, baseRef);
  return { ...run, plan: { ...run.plan, baseSha } };
}

/** On the same base: every step of the fresh plan is in the approved one. */
function compared(
  { plan }: RunRef,
  plannings: readonly HostPlanning[],
  approved: Plan | undefined,
): ConfirmOutcome {
  const made = assemble(plannings);
  const awaited = (plan.rollout?.unreachable ?? 'fail') !== 'fail';
  const problem = made.problems.find(({ away }) => !(away && awaited));
  if (problem !== undefined) return { kind: 'changed', reason: problem.message };
  const other = made.plan.hosts.filter(
    ({ host, steps }) => plan.skipped?.includes(host) !== true && !coveredBy(stepsOf(approved, host), steps),
  );
  if (other.length === 0) return { kind: 'unchanged' };
  const names = other.map((host) => host.host).join(', ');
  return { kind: 'changed', reason: `the state of ${names} has changed since the plan` };
}

function stepsOf(plan: Plan | undefined, host: string): readonly Step[] {
  return plan?.hosts.find((candidate) => candidate.host === host)?.steps ?? [];
}

/** As planning would make it now; undefined where it would fail. */
function digestOf(
  plannings: readonly HostPlanning[],
  { changed, dropped }: Extract<ResolvedRevision, { kind: 'resolved' }>,
): string | undefined {
  const { kept, skipped } = skipAway(plannings, changed);
  const made = withRollout(assemble(kept, dropped, skipped), changed);
  return made.problems.length > 0 || made.errors.length > 0 ? undefined : made.plan.digest;
}

/** Whoever undoes the run later finds the base that it was one of. */
async function keepRef({ store }: Engine, run: RunRef): Promise<void> {
  const detail = (await store.runs.get(run.run))?.detail as { readonly [name: string]: Json } | undefined;
  await store.runs.update(run.run, { detail: { ...detail, ref: run as unknown as Json } });
}
