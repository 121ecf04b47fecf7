import { differences } from '../drift/resources.ts';
import { targetOf } from '../hosts/readHost.ts';
import { readTraces } from '../hosts/traces.ts';
import { redact } from '../log.ts';
import type { Plan, Step } from '../plan/step.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import type { Mask } from '../spec/secrets.ts';
import type { Engine } from './engine.ts';
import { contentsIn, sealedOn } from './hostMask.ts';
import { keepJson, keptJson } from './keptJson.ts';
import { inParallel } from './planning.ts';
import { maskFor } from './sealing.ts';
import { elsewhereOf } from './sites.ts';
import type { FleetPlan } from './types.ts';

const HOSTS_AT_ONCE = 16;

/** Who changed what, as the servers' own logs tell it: sentences by host and item, without secrets. */
export type Told = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Of the hosts that the engine reaches; workers of sites ask theirs (`keepTold`). */
export async function toldBy(engine: Engine, resolution: Resolution, steps: readonly Step[]): Promise<Told> {
  const reached = resolution.hosts.filter((host) => elsewhereOf(engine, [host]).elsewhere === undefined);
  return toldOn(engine, resolution, reached, steps);
}

/** Of the hosts of a plan that was just made where they are reached. In the store: too much for a history. */
export async function keepTold(
  engine: Engine,
  resolution: Resolution,
  plan: Plan,
): Promise<readonly string[] | undefined> {
  const planned = new Set(plan.hosts.map(({ host }) => host));
  const steps = differences(plan, planned);
  const told = await toldOn(engine, resolution, resolution.hosts, steps);
  return Object.keys(told).length === 0 ? undefined : keepJson(engine, told);
}

export async function toldAtSites(engine: Engine, traces: FleetPlan['traces'] = []): Promise<Told> {
  const parts = await Promise.all(traces.map((pieces) => keptJson<Told>(engine, pieces)));
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)));
}

async function toldOn(
  engine: Engine,
  resolution: Resolution,
  hosts: readonly ResolvedHost[],
  steps: readonly Step[],
): Promise<Told> {
  const itemsOf = ({ name }: ResolvedHost) =>
    steps.filter((step) => step.host === name).flatMap((step) => Object.keys(step.before));
  const asked = hosts.filter((host) => itemsOf(host).length > 0);
  const told = await inParallel(asked, HOSTS_AT_ONCE, async (host) => {
    return [host.name, await tracesOn(engine, resolution, host, itemsOf(host))] as const;
  });
  return Object.fromEntries(told.filter(([, traces]) => Object.keys(traces).length > 0));
}

/** Who did it is good to know, and no reason to keep quiet about what was done. */
async function tracesOn(
  engine: Engine,
  resolution: Resolution,
  host: ResolvedHost,
  items: readonly string[],
): Promise<Told[string]> {
  try {
    const told = await engine.transport.withSession(targetOf(host.server), (session) =>
      readTraces(session, items),
    );
    const mask = await maskOf(engine, resolution, host);
    return Object.fromEntries(
      told.map(({ item, said }) => [item, said.map((sentence) => mask(redact(sentence)))]),
    );
  } catch (error) {
    engine.log.warn({ host: host.name, error: String(error) }, 'who changed a server could not be read');
    return {};
  }
}

function maskOf({ secrets, store }: Engine, resolution: Resolution, host: ResolvedHost): Promise<Mask> {
  const contentOf = contentsIn([resolution], store.blobs.get);
  return maskFor(secrets.open(contentOf), sealedOn(host, [resolution]), contentOf);
}
