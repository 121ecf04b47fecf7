import { type Addresses, union } from './addresses.ts';
import { type Cell, hasPorts } from './cells.ts';
import { sendersOf } from './flows.ts';
import { type Lead, leadsOf, ledBy, workOfLeads } from './leads.ts';
import type { DesiredFirewall, Rule } from './spec.ts';
import { blocksIn, inboundGate, passing, rulesOf, WORK_MAX } from './traffic.ts';

/** Who gets in on a TCP port, over some interface: to the host itself, or to where a port forward leads. */
export interface Admitted {
  readonly surely: Addresses;
  /** Those as well, and whom a rule of `forward` denies or not, by where their packets leave. */
  readonly perhaps: Addresses;
}

/**
 * Of each of these TCP ports. Left out are those whose rules are more than anybody can wait for: what is soon said comes first, until
 * all together takes `WORK_MAX`.
 */
export function admittedOn(
  desired: DesiredFirewall,
  ports: readonly number[],
): ReadonlyMap<number, Admitted> {
  const parts = partsOf(desired, ports)
    .map((part) => ({ part, work: workOfPart(part) }))
    .sort((a, b) => a.work - b.work);
  const admitted = new Map<number, Admitted>();
  let spent = 0;
  for (const { part, work } of parts) {
    spent += work;
    if (spent > WORK_MAX) break;
    const who = admittedIn(part);
    for (const port of part.ports) admitted.set(port, who);
  }
  return admitted;
}

/** Ports that the same rules are about, and what these are. */
interface Part {
  readonly ports: readonly [number, ...number[]];
  readonly firewall: DesiredFirewall;
}

function partsOf(desired: DesiredFirewall, ports: readonly number[]): readonly Part[] {
  const parts = new Map<string, Part>();
  for (const port of new Set(ports)) {
    const firewall = aboutPort(desired, port);
    const { inbound, portForwards, management } = firewall;
    const key = JSON.stringify([Object.keys(inbound), Object.keys(portForwards), management.port === port]);
    const known = parts.get(key);
    parts.set(key, { firewall, ports: known === undefined ? [port] : [...known.ports, port] });
  }
  return [...parts.values()];
}

function aboutPort({ inbound, portForwards, ...rest }: DesiredFirewall, port: number): DesiredFirewall {
  const about = <One extends Pick<Rule, 'ports'>>(all: Readonly<Record<string, One>>) =>
    Object.fromEntries(Object.entries(all).filter(([, one]) => hasPorts(one, cellOf(port))));
  return { ...rest, inbound: about(inbound), portForwards: about(portForwards) };
}

function cellOf(port: number, on?: string): Cell {
  return { protocol: 'tcp', first: port, last: port, in: on, out: undefined };
}

/** As `workOf` counts it: blocks of addresses, on each interface that is named. */
function workOfPart({ firewall }: Part): number {
  return placesOf(firewall).length * (blocksIn(rulesOf(inboundGate(firewall))) + workOfLeads(firewall));
}

/** Interfaces that the rules name, and all others; one that only a denial of `forward` names lets nobody in more. */
function placesOf({ inbound, portForwards }: DesiredFirewall): readonly (string | undefined)[] {
  const rules = [...Object.values(inbound), ...Object.values(portForwards)];
  return [...new Set(rules.flatMap(({ inInterfaces }) => inInterfaces)), undefined];
}

function admittedIn({ ports: [port], firewall }: Part): Admitted {
  const gate = inboundGate(firewall);
  const leads = leadsOf(firewall);
  const cells = placesOf(firewall).map((on) => cellOf(port, on));
  const within = cells.map((cell) => sendersOf(passing(gate, cell)));
  const ledOn = (by: readonly Lead[]) => cells.map((cell) => sendersOf(ledBy(by, cell)));
  return {
    surely: union(...within, ...ledOn(leads.map(denied))),
    perhaps: union(...within, ...ledOn(leads)),
  };
}

/** As if every denial of it held. */
function denied(lead: Lead): Lead {
  const unsure = lead.unsure.map(({ denial }) => ({ ...denial, outInterfaces: [] }));
  return { ...lead, denials: [...lead.denials, ...unsure] };
}
