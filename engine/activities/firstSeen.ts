import { itemKey, type Reading } from '../facts/fact.ts';
import type { SystemState } from '../facts/system.ts';
import type { HostFacts } from '../github/render/views.ts';
import { SYSTEM } from '../plan/planHost.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { identityOf } from './identity.ts';
import type { HostPlanning } from './planning.ts';
import type { PlanRef } from './types.ts';

type SeenFacts = Omit<HostFacts, 'host'> & { readonly seenWith: string };

/** Which of these hosts the engine has never read. */
export async function newHosts(
  engine: Pick<Engine, 'store'>,
  hosts: readonly ResolvedHost[],
): Promise<ReadonlySet<string>> {
  const known = await Promise.all(hosts.map((host) => engine.store.hosts.facts(identityOf(host.server))));
  return new Set(hosts.filter((_, i) => known[i] === undefined).map((host) => host.name));
}

/** Keeps what a machine is when it is met for the first time, with the head that met it. */
export async function keepFirstSeen(
  engine: Pick<Engine, 'store'>,
  hosts: readonly ResolvedHost[],
  plannings: readonly HostPlanning[],
  headSha: string,
): Promise<void> {
  for (const planning of plannings) {
    const host = hosts.find(
      (candidate) => planning.kind === 'planned' && candidate.name === planning.plan.host,
    );
    if (host === undefined || planning.kind !== 'planned') continue;
    const reading = planning.readings.get(itemKey(SYSTEM.fact, SYSTEM.key)) as
      | Reading<SystemState>
      | undefined;
    if (reading === undefined) continue;
    const { os, init, cpus, memory, disk } = reading.state;
    const facts: SeenFacts = {
      os,
      init,
      cpus,
      memoryMib: memory / 1024,
      diskMib: disk / 1024,
      seenWith: headSha,
    };
    await engine.store.hosts.saveFacts(identityOf(host.server), { ...facts });
  }
}

/** Facts of servers that no run has changed yet, as the plan shows them when a server is first met. */
export async function firstSeen(engine: Pick<Engine, 'store'>, plan: PlanRef): Promise<readonly HostFacts[]> {
  const known = await Promise.all(
    plan.hosts.map(async (host) => {
      const stored = await engine.store.hosts.facts(host.identity);
      if (stored === undefined) return [];
      const facts = stored.facts as unknown as SeenFacts;
      return facts.seenWith === plan.headSha ? [{ ...facts, host: host.name }] : [];
    }),
  );
  return known.flat();
}
