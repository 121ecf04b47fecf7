import { type Correctable, correctable, firstForPerson, whyNothing } from '../drift/correctable.ts';
import { branchTip } from '../github/pulls.ts';
import { defaultBranchOf } from '../github/repositories.ts';
import { coveredBy } from '../plan/digest.ts';
import { returnable, wantedItems } from '../plan/settled.ts';
import type { HostPlan } from '../plan/step.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import type { PolicyWindow } from '../spec/types.generated.ts';
import { unchangedUnder } from './confirm.ts';
import { correctingDocuments, correctionPlan, groundsOf, judgedBy, knownHosts } from './correctionGrounds.ts';
import type { Engine } from './engine.ts';
import { fencesFor } from './fences.ts';
import { pinRun } from './pinnedRun.ts';
import { type HostPlanning, planHosts } from './planning.ts';
import { fullName } from './pull.ts';
import { runInGit } from './runRevision.ts';
import type { ConfirmOutcome, RunRef } from './types.ts';

/** With its hosts locked: is there still the same to put back, and may it be? Reads them anew. `here`: these alone; left out: all. */
export async function confirmCorrection(
  engine: Engine,
  run: RunRef,
  here?: readonly string[],
): Promise<ConfirmOutcome> {
  const found = await lookAgain(engine, run, here);
  if (typeof found === 'string') return { kind: 'changed', reason: found };
  return 'idle' in found ? { kind: 'changed', reason: found.idle, idle: true } : unchangedUnder(found);
}

/** The windows of the policy; or the sentence that says what stands against it, or why nothing would be done on these hosts. */
async function lookAgain(
  engine: Engine,
  run: RunRef,
  here: readonly string[] | undefined,
): Promise<string | readonly PolicyWindow[] | { readonly idle: string }> {
  const { repository } = run.pull;
  const client = await engine.github.installationClient(repository.installationId);
  const branch = await defaultBranchOf(client, repository);
  if ((await branchTip(client, repository, branch)) !== run.plan.headSha)
    return `${branch} has moved since the servers were read`;
  const tree = await engine.revisions.resolveCommit(repository, run.plan.headSha);
  const resolved = await runInGit(engine, run);
  const all = correctingDocuments(tree.resolution.hosts);
  const document = all.find(({ ref }) => ref === run.correction?.document);
  if (document === undefined) return 'the document asks for no correction';
  const own = resolved.changed.filter(({ name }) => here === undefined || here.includes(name));
  const plannings = await planHosts(engine, {
    hosts: own,
    payloads: resolved.merged.payloads,
    repository: fullName(run.pull),
    openRuns: (await engine.store.runs.openStates()).map(({ id }) => id),
    changedItems: () => new Set(),
    fenceOf: await fencesFor(engine, run.run),
  });
  for (const planning of plannings) if (planning.kind === 'problem') return planning.message;
  const { hosts, left } = await stillCorrectable(engine, run, document, own, plannings);
  if (hosts.length === 0) return { idle: whyNothing(plansOf(plannings), left) };
  const decided = (await engine.store.plans.get(run.plan.digest))?.hosts ?? [];
  const other = firstNotCovered(decided, hosts);
  if (other !== undefined) return `${other} has changed once more since it was read`;
  const kept = firstForPerson(decided, plansOf(plannings), hosts);
  if (kept !== undefined) return `${kept} has something that is left to a person now`;
  const now = engine.github.now().getTime();
  const { missing, windows } = judgedBy(tree, document, correctionPlan(hosts, tree.resolution.hosts), now);
  if (missing.length > 0) return missing.join('; ');
  await pinRun(engine, run, resolved);
  return windows;
}

async function stillCorrectable(
  engine: Engine,
  run: RunRef,
  document: ResolvedDocument,
  hosts: readonly ResolvedHost[],
  plannings: readonly HostPlanning[],
): Promise<Correctable> {
  const known = await knownHosts(engine, fullName(run.pull), hosts);
  const inForce = new Map(
    plannings.flatMap((planning) => {
      const host = hosts.find(({ name }) => planning.kind === 'planned' && name === planning.plan.host);
      if (planning.kind === 'problem' || host === undefined) return [];
      const before = known.settled(host.name)?.items ?? {};
      return [[host.name, returnable(before, wantedItems(host, planning.seals), planning.plan)] as const];
    }),
  );
  const grounds = groundsOf(document, known, (host) => inForce.get(host) ?? []);
  return correctable(plansOf(plannings), grounds);
}

function plansOf(plannings: readonly HostPlanning[]): readonly HostPlan[] {
  return plannings.flatMap((planning) => (planning.kind === 'planned' ? [planning.plan] : []));
}

/** A host on which more or other would be done than was decided. */
function firstNotCovered(decided: readonly HostPlan[], hosts: readonly HostPlan[]): string | undefined {
  const stepsOf = (host: string) => decided.find((each) => each.host === host)?.steps ?? [];
  return hosts.find(({ host, steps }) => !coveredBy(stepsOf(host), steps))?.host;
}
