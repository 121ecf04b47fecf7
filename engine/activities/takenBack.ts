import type { GitHubClient } from '../github/client.ts';
import { getPull } from '../github/pulls.ts';
import { recordName } from '../github/workflowIds.ts';
import { canonicalJson } from '../plan/digest.ts';
import type { Finding, HostPlan, Plan, Step } from '../plan/step.ts';
import type { Run } from '../store/runs.ts';
import type { Engine } from './engine.ts';
import type { HostPlanning } from './planning.ts';
import type { RunDetail } from './runViews.ts';
import type { PullRef, RunRef } from './types.ts';

/** A merged change that was taken back on its servers, on purpose or since it failed, while the branch still has it. */
export interface TakenBack {
  /** Of the change. */
  readonly pull: number;
  /** Who asked for it; left out where the change was merged before it was applied, and that failed. */
  readonly actor?: string;
  /** The pull request that reverts it. */
  readonly revert: number;
  readonly plan: Pick<Plan, 'hosts'>;
}

/** How long a revert may wait before it is no more looked for. */
const LOOK_BACK_MS = 90 * 24 * 3600 * 1000;

/**
 * Says in a plan where it would bring back what was rolled back on purpose, or what failed after its merge: until the revert is merged the branch still has it, and
 * what a pull request does not ask for is put in order as drift.
 */
export async function withTakenBack(
  { store }: Pick<Engine, 'store'>,
  client: GitHubClient,
  pull: PullRef,
  plannings: readonly HostPlanning[],
): Promise<readonly HostPlanning[]> {
  const plans = plannings.flatMap((each) => (each.kind === 'planned' ? [each.plan] : []));
  if (!plans.some(({ steps }) => steps.some(isUnasked))) return plannings;
  const since = Date.now() - LOOK_BACK_MS;
  const ended = (kind: 'rollback' | 'apply') =>
    store.runs.ofKind(recordName(pull.repository), kind, since, ['rolled-back', 'held']);
  const runs = [...(await ended('rollback')), ...(await ended('apply'))];
  const taken: TakenBack[] = [];
  for (const run of runs) {
    const one = await takenBackBy(store, run, plans);
    if (one === undefined) continue;
    const { merged } = await getPull(client, pull.repository, one.revert);
    if (!merged) taken.push(one);
  }
  return plannings.map((each) => (each.kind === 'planned' ? withWarnings(each, taken) : each));
}

/** Undefined where it brings nothing of these plans about. */
async function takenBackBy(
  { plans, runs }: Engine['store'],
  run: Run,
  now: readonly HostPlan[],
): Promise<TakenBack | undefined> {
  const ref = (run.detail as { readonly ref?: RunRef } | null)?.ref;
  if (!ref?.plan.hosts.some(({ name }) => now.some(({ host }) => host === name))) return undefined;
  const merged = ref.undoes === undefined ? run : await runs.get(ref.undoes);
  const { revert } = (merged?.detail ?? {}) as RunDetail;
  if (revert === undefined) return undefined;
  const plan = await plans.get(ref.plan.digest);
  if (plan === undefined) return undefined;
  const asked = ref.undoes === undefined ? {} : { actor: run.actor };
  const taken = { pull: ref.pull.number, ...asked, revert, plan };
  return now.some((each) => takenBackFindings(each, [taken]).length > 0) ? taken : undefined;
}

function withWarnings<T extends { readonly plan: HostPlan }>(planning: T, taken: readonly TakenBack[]): T {
  const { plan } = planning;
  const own = takenBackFindings(plan, taken);
  return own.length === 0
    ? planning
    : { ...planning, plan: { ...plan, findings: [...plan.findings, ...own] } };
}

/** Pure. One for each document and change. */
export function takenBackFindings(
  { host, steps }: Pick<HostPlan, 'host' | 'steps'>,
  taken: readonly TakenBack[],
): readonly Finding[] {
  return taken.flatMap(({ pull, actor, revert, plan }) => {
    const then = plan.hosts.filter((each) => each.host === host).flatMap((each) => each.steps.map(effectOf));
    const again = steps.filter((step) => isUnasked(step) && then.includes(effectOf(step)));
    return [...new Set(again.map(({ document }) => document))].map((document): Finding => {
      const why =
        actor === undefined
          ? `what #${pull} brought; that failed and was taken back on ${host}`
          : `what #${pull} brought, and ${actor} had that rolled back on ${host}`;
      const message = `${document} has ${why}. This plan would bring it back: merge its revert, #${revert}, first`;
      return { kind: 'finding', severity: 'warning', host, document, message };
    });
  });
}

/** What the pull request itself asks for is nobody's surprise. */
function isUnasked({ reason }: Step): boolean {
  return reason !== 'change' && reason !== 'adoption';
}

function effectOf({ id, operation, params }: Step): string {
  const { along: _, ...rest } = params;
  return canonicalJson({ id, operation, params: rest });
}
