import type { Finding, Plan } from '../plan/step.ts';
import type { Place, Target } from '../policy/change.ts';
import { targetsOf } from '../policy/targets.ts';
import type { Resolution } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import type { PullRef, Revision } from './types.ts';

/** What a policy judges of a revision's plan. `trusted`: the default branch, where it can be read. */
export async function readTargets(
  { revisions }: Pick<Engine, 'revisions'>,
  pull: PullRef,
  revision: Revision,
  plan: Pick<Plan, 'hosts'>,
  trusted?: Resolution,
): Promise<readonly Target[]> {
  // anew, so that servers met meanwhile have their keys
  const resolved = await revisions.resolve(pull, revision);
  if (resolved.kind === 'conflict') return targetsOf(plan, { merged: [] });
  return targetsOf(plan, {
    merged: resolved.merged.hosts,
    base: resolved.base.hosts,
    trusted: trusted?.hosts ?? [],
  });
}

/** Nothing is to be done, and nothing is for a policy to judge: people merge it by hand. */
export async function isIdle(
  engine: Pick<Engine, 'revisions'>,
  pull: PullRef,
  revision: Revision,
  plan: Pick<Plan, 'hosts'>,
): Promise<boolean> {
  if (plan.hosts.some(({ steps }) => steps.length > 0)) return false;
  return !movesAny(await readTargets(engine, pull, revision, plan));
}

export function movesAny(targets: readonly Target[]): boolean {
  return targets.some(({ moved }) => moved);
}

/** The plan, which also says of each server that is moved what it counts as. */
export function withMoves(plan: Plan, targets: readonly Target[]): Plan {
  const hosts = plan.hosts.map((host) => {
    const target = targets.find(({ name, moved }) => moved && name === host.host);
    return target === undefined ? host : { ...host, findings: [...host.findings, moveFinding(target)] };
  });
  return { ...plan, hosts };
}

function moveFinding({ name, now, before }: Target): Finding {
  const will = now.length === 0 ? 'nothing' : now.map(sayPlace).join(' and ');
  const message = `The policy takes it for what it was until now, ${before.map(sayPlace).join(' and ')}, as well as for what it will be, ${will}`;
  return { kind: 'finding', severity: 'info', host: name, document: `Server/${name}`, message };
}

function sayPlace({ site, labels }: Place): string {
  const all = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return [`site ${site}`, ...all.sort()].join(' ');
}
