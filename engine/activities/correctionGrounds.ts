import type { Grounds } from '../drift/correctable.ts';
import type { ItemKey } from '../facts/fact.ts';
import { kindOf } from '../kinds/registry.ts';
import { planDigest } from '../plan/digest.ts';
import { planRollout } from '../plan/rollout.ts';
import { declaredItem, probesItem } from '../plan/settled.ts';
import type { HostPlan, Plan } from '../plan/step.ts';
import { type CorrectionVerdict, judgeCorrection } from '../policy/correction.ts';
import { targetsOf } from '../policy/targets.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { isSameMachine } from '../store/machine.ts';
import type { SettledHost } from '../store/settled.ts';
import type { Engine } from './engine.ts';
import { identityOf } from './identity.ts';
import type { ResolvedTree } from './revisions.ts';

/** What the store knows of hosts by name. */
export interface KnownHosts {
  readonly settled: (host: string) => SettledHost | undefined;
  readonly needsRecovery: (host: string) => boolean;
}

export async function knownHosts(
  { store }: Pick<Engine, 'store'>,
  repository: string,
  hosts: readonly ResolvedHost[],
): Promise<KnownHosts> {
  const identities = new Map(hosts.map(({ name, server }) => [name, identityOf(server)]));
  const [settled, needing] = await Promise.all([
    store.settled.of(repository, [...identities.values()]),
    store.hosts.needRecovery([...identities.values()]),
  ]);
  return {
    settled: (host) => settled.get(identities.get(host) ?? ''),
    needsRecovery: (host) =>
      needing.some(({ identity }) => isSameMachine(identity, identities.get(host) ?? '')),
  };
}

/** `inForce`: items of a host, and the probes, that were in force there as the branch wants them. */
export function groundsOf(
  document: ResolvedDocument,
  known: KnownHosts,
  inForce: (host: string) => readonly ItemKey[],
): Grounds {
  const { maintenance } = document;
  const hasProbes = kindOf(document).probes(document.spec).length > 0;
  return {
    document: document.ref,
    ignore: document.drift?.ignore ?? [],
    wasInForce: (host, item) => inForce(host).includes(item),
    ...(maintenance === undefined
      ? {}
      : { maintenance: { item: declaredItem(document.ref), reboots: maintenance.reboots } }),
    hindrance: (host) => {
      if (known.needsRecovery(host))
        return 'the server needs recovery: an earlier run did not end in order there';
      return hasProbes && !inForce(host).includes(probesItem(document.ref)) ? PROBES : undefined;
    },
  };
}

const PROBES =
  'the probes of the document have not been part of an applied change yet, so they are not run by themselves';

/** Documents that ask for corrections, or declare work that is done by itself, each once. */
export function correctingDocuments(hosts: readonly ResolvedHost[]): readonly ResolvedDocument[] {
  const all = hosts.flatMap(({ documents }) =>
    documents.filter(({ drift, maintenance }) => drift?.action === 'correct' || maintenance !== undefined),
  );
  return [...new Map(all.map((document) => [document.ref, document])).values()];
}

/** The way in which a correction reaches its hosts is that of a pull request. */
export function correctionPlan(hosts: readonly HostPlan[], resolved: readonly ResolvedHost[]): Plan {
  const rollout = planRollout(hosts, resolved);
  const digest = planDigest(hosts, rollout);
  return { kind: 'plan', hosts, ...(rollout === undefined ? {} : { rollout }), digest };
}

/** A policy that cannot be read lets nothing through. `now`: epoch ms by GitHub's clock, by which the run is stopped as well. */
export function judgedBy(
  { policy, resolution }: Pick<ResolvedTree, 'policy' | 'resolution'>,
  { position, maintenance }: ResolvedDocument,
  plan: Plan,
  now: number,
): CorrectionVerdict {
  if (policy.errors.length > 0) return { missing: [BROKEN_POLICY], windows: [] };
  const targets = targetsOf(plan, { merged: resolution.hosts });
  const own = maintenance === undefined ? [] : [maintenance.window];
  return judgeCorrection(policy.spec, { targets, paths: [position.file], now }, own);
}

const BROKEN_POLICY =
  'the policy of the default branch cannot be read, so nothing is corrected until it is mended';
