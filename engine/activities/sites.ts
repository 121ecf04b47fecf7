import type { Client } from '@temporalio/client';
import { planDigest } from '../plan/digest.ts';
import { matesOf } from '../plan/rollout.ts';
import type { Plan } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import type { HostPlanning } from './planning.ts';
import { TASK_QUEUE } from './signalPull.ts';
import type { PlanRef, SitePart } from './types.ts';

/** What the workers of a site serve; `workflows/sites.ts` names it the same way. */
export function siteQueue(site: string): string {
  return `${TASK_QUEUE}:site:${site}`;
}

/** Sites among these that a process with this setting leaves to others, each once, sorted. */
export function elsewhere(own: readonly string[] | undefined, sites: Iterable<string>): readonly string[] {
  if (own === undefined) return [];
  return [...new Set(sites)].filter((site) => !own.includes(site)).sort();
}

/** As a field of a result, which is left out where the engine reaches everything. */
export function elsewhereOf(
  { config }: Pick<Engine, 'config'>,
  hosts: readonly ResolvedHost[],
): { readonly elsewhere?: readonly string[] } {
  const sites = elsewhere(
    config.sites,
    hosts.map(({ server }) => server.site),
  );
  return sites.length === 0 ? {} : { elsewhere: sites };
}

/** Mates of the plan's hosts are looked at where they are reached. `hosts`: all of the repository. */
export function withMatesElsewhere(
  { config }: Pick<Engine, 'config'>,
  ref: PlanRef,
  plan: Plan,
  hosts: readonly ResolvedHost[],
): PlanRef {
  const { rollout } = ref;
  if (rollout === undefined) return ref;
  const names = new Set(matesOf(plan));
  const mates = hosts
    .filter(({ name, server }) => names.has(name) && elsewhere(config.sites, [server.site]).length > 0)
    .map(({ name, server: { site } }) => ({ name, site }));
  return mates.length === 0 ? ref : { ...ref, rollout: { ...rollout, matesElsewhere: mates } };
}

/** What the workers of sites have read, as if it had been read here. */
export async function plannedElsewhere(
  { store }: Pick<Engine, 'store'>,
  parts: readonly SitePart[],
  hosts: readonly ResolvedHost[],
): Promise<readonly HostPlanning[]> {
  const plannings = await Promise.all(
    parts.map(async ({ site, digest, problems }): Promise<readonly HostPlanning[]> => {
      const own = hosts.filter(({ server }) => server.site === site);
      if (digest === undefined) return own.map(({ name }) => unserved(name, site));
      const plan = await store.plans.get(digest);
      if (plan === undefined)
        throw permanent(`the plan ${digest.slice(0, 8)} is not in the store; plan again`);
      return [
        ...plan.hosts.map(
          (host): HostPlanning => ({ kind: 'planned', plan: host, readings: new Map(), seals: new Map() }),
        ),
        ...problems.map((problem): HostPlanning => ({ kind: 'problem', ...problem, cause: undefined })),
      ];
    }),
  );
  return plannings.flat();
}

/** Those of these hosts that no worker reaches. */
export function unservedHosts(
  parts: readonly SitePart[],
  hosts: readonly ResolvedHost[],
): readonly ResolvedHost[] {
  const sites = parts.flatMap(({ site, digest }) => (digest === undefined ? [site] : []));
  return hosts.filter(({ server }) => sites.includes(server.site));
}

/** For people. */
export function unservedText(site: string): string {
  return `no worker serves the site ${site}. Start one that reaches its servers, with DOAAS_ROLE=site and DOAAS_SITES=${site}, or correct the site in the Server document`;
}

/** Not away: the server may be well, and nobody is to skip it as if it were not. */
function unserved(host: string, site: string): HostPlanning {
  return { kind: 'problem', host, message: unservedText(site), away: false, cause: undefined };
}

/** A worker that waits for work asks anew each minute (Temporal's long poll); one that died is listed for five. */
const ASKED_WITHIN_MS = 90_000;

/** Temporal's enum TaskQueueType: activities. */
const ACTIVITY_QUEUE = 2;

/** Whether a worker of the site has asked for work of late. `now`: epoch ms by Temporal's clock. */
export async function isServed(
  { workflowService, options }: Pick<Client, 'workflowService' | 'options'>,
  site: string,
  now: number,
): Promise<boolean> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace: options.namespace,
    taskQueue: { name: siteQueue(site) },
    taskQueueType: ACTIVITY_QUEUE,
  });
  return (pollers ?? []).some(
    ({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1000 < ASKED_WITHIN_MS,
  );
}

/** One plan of several, in the order of the hosts. */
export function joined(plans: readonly Plan[], order: readonly ResolvedHost[]): Plan {
  const place = new Map(order.map(({ name }, i) => [name, i]));
  const hosts = plans
    .flatMap((plan) => plan.hosts)
    .sort((a, b) => (place.get(a.host) ?? 0) - (place.get(b.host) ?? 0));
  return { kind: 'plan', hosts, digest: planDigest(hosts) };
}
