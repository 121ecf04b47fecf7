import { correctable, type LeftAlone } from '../drift/correctable.ts';
import { recordName } from '../github/workflowIds.ts';
import { batchPayloads } from '../operations/batch.ts';
import type { HostPlan, Plan } from '../plan/step.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { triedEnough } from './correctionBounds.ts';
import { correctingDocuments, correctionPlan, groundsOf, judgedBy, knownHosts } from './correctionGrounds.ts';
import { besideOther, besideUnread, type Mates, matesBy } from './correctionMates.ts';
import type { Engine } from './engine.ts';
import { NO_PULL, planRef } from './planRef.ts';
import type { ResolvedTree } from './revisions.ts';
import { elsewhereOf, withMatesElsewhere } from './sites.ts';
import type { BranchTip, PlannedCorrection, PlanRef, RepositoryRef } from './types.ts';

/** What becomes of the differences of one document that asks for corrections; its issue says it. */
export interface Decision {
  readonly document: string;
  /** It is work that the document declares, not a change by hand. */
  readonly maintenance?: true;
  /** What is put back now. */
  readonly plan?: Plan;
  readonly left: readonly LeftAlone[];
  /** Why nothing is put back now, though some could be: a sentence without its full stop. */
  readonly hindrance?: string;
  /** Epoch ms at which a change window opens that is all that is missing. */
  readonly opensAt?: number;
}

export interface Differing {
  /** `owner/name` */
  readonly repository: string;
  readonly tree: ResolvedTree;
  /** Of hosts that were read and that no run was changing. */
  readonly plans: readonly HostPlan[];
  /** Number of a document's open issue. */
  readonly issueOf: (document: string) => number | undefined;
}

/** Changes nothing. */
export async function decideCorrections(engine: Engine, differing: Differing): Promise<readonly Decision[]> {
  const { hosts } = differing.tree.resolution;
  const known = await knownHosts(engine, differing.repository, hosts);
  const read = new Set(differing.plans.map(({ host }) => host));
  const unread = new Set(
    hosts.map(({ name }) => name).filter((name) => !read.has(name) || known.needsRecovery(name)),
  );
  const documents = correctingDocuments(hosts);
  const decisions: Decision[] = [];
  for (const document of documents) {
    const declared = document.maintenance === undefined ? {} : { maintenance: true as const };
    const grounds = groundsOf(document, known, (host) => known.settled(host)?.returnable ?? []);
    const mates = matesBy(hosts, [document]);
    const { hosts: plans, left } = correctable(differing.plans, {
      ...grounds,
      hindrance: (host) => grounds.hindrance(host) ?? besideUnread(host, unread, mates),
    });
    const ref = document.ref;
    if (plans.length > 0) {
      const decided = await decide(engine, differing, document, plans);
      const beside = besideDecided(plans, decisions, matesBy(hosts, documents));
      decisions.push({
        document: ref,
        ...declared,
        left,
        ...(decided.plan === undefined || beside === undefined ? decided : { hindrance: beside }),
      });
    } else if (left.length > 0) decisions.push({ document: ref, ...declared, left });
  }
  return decisions;
}

/** Why this waits for what was decided already. */
function besideDecided(
  plans: readonly HostPlan[],
  decisions: readonly Decision[],
  mates: Mates,
): string | undefined {
  const hosts = plans.map(({ host }) => host);
  for (const { document, plan } of decisions) {
    const others = plan?.hosts.map(({ host }) => host) ?? [];
    const reason = besideOther(hosts, { document, hosts: others }, mates);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

async function decide(
  engine: Engine,
  { repository, tree, issueOf }: Differing,
  document: ResolvedDocument,
  hosts: readonly HostPlan[],
): Promise<Pick<Decision, 'plan' | 'hindrance' | 'opensAt'>> {
  const { ref, maintenance } = document;
  const declared = maintenance === undefined ? undefined : { window: maintenance.window, hosts };
  const tried = await triedEnough(engine, repository, ref, issueOf(ref) ?? NO_PULL, declared);
  if (tried !== undefined) return { hindrance: tried };
  const plan = correctionPlan(hosts, tree.resolution.hosts);
  const { missing, opensAt } = judgedBy(tree, document, plan, engine.github.now().getTime());
  if (missing.length === 0) return { plan };
  return { hindrance: missing.join('; '), ...(opensAt === undefined ? {} : { opensAt }) };
}

/** Stores what a decision puts back, and says what is to run. `issue`: `NO_PULL` where the repository takes none. */
export async function planCorrection(
  engine: Engine,
  repository: RepositoryRef,
  { commit }: BranchTip,
  { resolution }: ResolvedTree,
  plan: Plan,
  { document, issue, maintenance }: { readonly issue: number } & Pick<Decision, 'document' | 'maintenance'>,
): Promise<PlannedCorrection> {
  const name = recordName(repository);
  const revision = { headSha: commit, baseSha: commit };
  const steps = plan.hosts.flatMap((host) => host.steps);
  const wanted = batchPayloads({ kind: 'batch', run: 'plan', repository: name, steps });
  await engine.store.blobs.put(wanted.flatMap((sha256) => resolution.payloads.get(sha256) ?? []));
  await engine.store.plans.save(plan, { repository: name, number: issue, ...revision }, wanted);
  const { hosts } = resolution;
  const ref = planRef(plan, revision, { changed: hosts }, undefined, [], new Date());
  return {
    pull: { repository, number: issue },
    plan: waitingForNobody(withMatesElsewhere(engine, ref, plan, hosts)),
    actor: 'doaas',
    correction: { document, ...(maintenance === undefined ? {} : { maintenance }) },
    ...elsewhereOf(engine, hostsOf(plan, hosts)),
  };
}

function hostsOf({ hosts }: Plan, all: readonly ResolvedHost[]): readonly ResolvedHost[] {
  return all.filter(({ name }) => hosts.some(({ host }) => host === name));
}

/** Nobody is there to see that it waits, a day at most, with its servers locked: the next reading begins it anew. */
export function waitingForNobody(plan: PlanRef): PlanRef {
  const { rollout } = plan;
  return rollout?.unreachable === 'wait' ? { ...plan, rollout: { ...rollout, unreachable: 'fail' } } : plan;
}
