import { createHash } from 'node:crypto';
import type { FirewallAround } from '../../../facts/firewallAround.ts';
import type { Payload } from '../../../spec/configuration.ts';
import { rulesetText } from '../ruleset.ts';
import type { DesiredFirewall, PortRange, ResolvedFirewall, Rule } from '../spec.ts';

/** Parts of a document that need cases of their own. */
export const SECTIONS = [
  'management',
  'inbound',
  'outbound',
  'forward',
  'portForwards',
  'masquerade',
] as const;

/** A rule that accepts everything, for tests to narrow. */
export const RULE: Rule = {
  action: 'accept',
  ports: [],
  from: null,
  to: null,
  inInterfaces: [],
  outInterfaces: [],
  log: false,
};

/** `80/tcp`, `6000-6010/udp` */
export function ports(...texts: readonly string[]): readonly PortRange[] {
  return texts.map((text) => {
    const [, first = '', last = first, protocol = ''] = /^(\d+)(?:-(\d+))?\/(\w+)$/.exec(text) ?? [];
    return { protocol: protocol as PortRange['protocol'], first: Number(first), last: Number(last) };
  });
}

/** A host on which nothing else decides about packets, and nobody waits for any. */
export const QUIET: FirewallAround = {
  others: [],
  closing: [],
  forwards: { ipv4: false, ipv6: false },
  listeners: [],
  udp: [],
  ephemeral: { first: 32_768, last: 60_999 },
  wireGuards: [],
};

/** A firewall that lets nothing in but the engine. */
export const CLOSED: DesiredFirewall = {
  management: { port: 22, from: null, jumps: [] },
  inbound: {},
  outbound: { default: 'accept', rules: {} },
  portForwards: {},
  masquerade: {},
  logDropped: false,
};

export function scriptOf(desired: DesiredFirewall): Payload {
  const text = rulesetText(desired);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { sha256, size: Buffer.byteLength(text), text: true };
}

/**
 * A whole spec from the part that a case gives: sections of `DesiredFirewall`, ports as `80/tcp`. `script`
 * may be a payload of the case, so that it can name its hash.
 */
export function firewallSpec(given: Readonly<Record<string, unknown>>): ResolvedFirewall {
  const { script, ...sections } = given;
  const desired = { ...CLOSED, ...(filled(sections) as Partial<DesiredFirewall>) };
  return {
    desired,
    script: (script as Payload | undefined) ?? scriptOf(desired),
    probes: [],
  };
}

/** Rules with their defaults, however deep they stand. */
function filled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [
    key,
    key === 'ports' ? ports(...(child as readonly string[])) : filled(child),
  ]);
  const whole = Object.fromEntries(entries) as object;
  return 'action' in whole ? { ...RULE, ...whole } : whole;
}
