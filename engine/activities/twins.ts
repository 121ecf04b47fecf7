import type { Finding, HostPlan } from '../plan/step.ts';
import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import { isSameMachine } from '../store/machine.ts';
import { identityOf } from './identity.ts';

/**
 * Pure. What forbids a plan in which one machine stands under two names: two batches would change it at once. Pinned keys
 * are compared while validating; a key that was only seen is known when the machine has been met.
 */
export function twinFindings(
  { name, server }: ResolvedHost,
  all: readonly ResolvedHost[],
): readonly Finding[] {
  return all.flatMap((other) => {
    if (other.name === name || !isTwin(server, other.server)) return [];
    const message = `${name} shows the same host key as ${other.name}. If it is one machine, declare it once; if one was cloned from the other, give one of them host keys of its own`;
    return [{ kind: 'finding', severity: 'error', host: name, document: `Server/${name}`, message }];
  });
}

function isTwin(one: ResolvedServer, other: ResolvedServer): boolean {
  if (one.hostKeys.length === 0 || other.hostKeys.length === 0) return false;
  return isSameMachine(identityOf(one), identityOf(other));
}

/**
 * Pure. The plans, each with what forbids it because another of them was read from the same machine: two documents may pin
 * different keys of one machine, and then only the machine itself can tell. `hosts`: for where their documents stand.
 */
export function withSameMachines(
  plans: readonly HostPlan[],
  hosts: readonly ResolvedHost[],
): readonly HostPlan[] {
  const servers = new Map(hosts.map((host) => [host.name, host]));
  const byMachine = new Map<string, readonly string[]>();
  for (const { host, machine } of plans)
    if (machine !== undefined) byMachine.set(machine, [...(byMachine.get(machine) ?? []), host]);
  return plans.map((plan) => {
    const others = (byMachine.get(plan.machine ?? '') ?? []).filter((host) => host !== plan.host);
    const own = others.map((other) => sameMachine(plan.host, other, servers));
    return own.length === 0 ? plan : { ...plan, findings: [...plan.findings, ...own] };
  });
}

function sameMachine(host: string, other: string, servers: ReadonlyMap<string, ResolvedHost>): Finding {
  const [position, second] = [host, other].map((name) => servers.get(name)?.position);
  const place = second === undefined ? '' : ` (${second.file} line ${second.line})`;
  const message = `${host} is the same machine as ${other}${place}: both answer with one machine id and boot id, although by different host keys. Declare it once. If one was cloned from the other while that ran, give it a machine id and host keys of its own and restart it`;
  const document = `Server/${host}`;
  return { kind: 'finding', severity: 'error', host, document, message, ...(position && { position }) };
}
