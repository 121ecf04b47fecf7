import { type Addresses, addressesOf, contains, isNobody, union, without } from './addresses.ts';
import { covers, meet, placesCover, portsCover } from './cells.ts';
import type { Oddity } from './findings.ts';
import { denialOf, takenBy, targetOf } from './led.ts';
import type { ReadFirewall } from './read.ts';
import type { PortForward, Rule } from './spec.ts';
import { isAccept } from './traffic.ts';

interface Lead {
  readonly name: string;
  readonly target: string;
  readonly forward: PortForward;
  /** What it takes, and from whom. */
  readonly taken: Rule;
  readonly who: Addresses;
}

/**
 * Port forwards that contradict each other or a rule, or lead nobody anywhere. A packet follows the first forward in the
 * document that it matches, and then no rule of `inbound` sees it; the denials of `forward` do.
 */
export function forwardOddities({ portForwards, inbound, forward }: ReadFirewall): readonly Oddity[] {
  const leads = Object.entries(portForwards).map(leadOf);
  const denials = Object.entries(forward?.rules ?? {}).filter(([, rule]) => !isAccept(rule));
  return [
    ...leads.flatMap((lead, index) =>
      oddityOf(lead, leads.slice(0, index), denials).map((odd) => ({
        ...odd,
        pointer: `/spec/portForwards/${lead.name}`,
      })),
    ),
    ...Object.entries(inbound).flatMap(([name, rule]) =>
      ofInbound(name, rule, leads, denials).map((message) => ({
        severity: 'warning' as const,
        pointer: `/spec/inbound/${name}`,
        message,
      })),
    ),
  ];
}

/** Work that it takes, as `workOf` counts it: every pair, times their blocks of addresses. */
export function workOfForwards({ portForwards, inbound, forward }: ReadFirewall): number {
  const leads = Object.values(portForwards);
  const all = [...leads, ...Object.values(inbound), ...Object.values(forward?.rules ?? {})];
  return leads.length * all.reduce((sum, { from, ports }) => sum + 1 + (from?.length ?? 0) + ports.length, 0);
}

function leadOf([name, forward]: readonly [string, PortForward]): Lead {
  const taken = takenBy(forward);
  return { name, target: targetOf(forward), forward, taken, who: addressesOf(taken.from) };
}

type Found = Omit<Oddity, 'pointer'>;
type Named = readonly [string, Rule];

/** `earlier`: those before it in the document. The first thing that is odd is enough. */
function oddityOf(lead: Lead, earlier: readonly Lead[], denials: readonly Named[]): readonly Found[] {
  const { name, target } = lead;
  if (isNobody(lead.who))
    return [
      warning(
        `The port forward ${name} leads nobody: none of its senders can have an address like that of ${target}.`,
      ),
    ];
  const denial = denials.find(([, rule]) =>
    deniedTo(lead, rule).some((denied) => covers(denied, lead.taken)),
  );
  if (denial !== undefined)
    return [
      contradiction(
        `The port forward ${name} leads to ${target} what the rule ${denial[0]} of "forward" denies, and what is denied stays out; remove one of the two.`,
      ),
    ];
  const first = earlier.find((one) => covers(one.taken, lead.taken));
  if (first?.target === target)
    return [warning(`The port forward ${name} changes nothing: ${first.name} leads all of it there.`)];
  if (first !== undefined)
    return [
      contradiction(
        `The port forward ${name} leads to ${target} what ${first.name} leads to ${first.target}, so it can never hold; remove one of the two.`,
      ),
    ];
  const both = earlier.find((one) => one.target !== target && meet(one.taken, lead.taken));
  if (both === undefined) return [];
  return [
    warning(
      `The port forwards ${both.name} and ${name} lead some of the same to different places, ${both.target} and ${target}: it goes to the former, which stands first.`,
    ),
  ];
}

/** What a rule of `forward` surely denies of all that is led to this target: where it leaves is not known. */
function deniedTo({ forward }: Lead, rule: Rule): readonly Rule[] {
  const denied = rule.outInterfaces.length === 0 ? denialOf(forward, rule) : undefined;
  return denied === undefined ? [] : [denied];
}

function ofInbound(
  name: string,
  rule: Rule,
  leads: readonly Lead[],
  denials: readonly Named[],
): readonly string[] {
  const own = addressesOf(rule.from);
  if (isAccept(rule)) {
    if (rule.ports.length === 0) return [];
    const taking = leads.filter(
      ({ taken }) =>
        portsCover(taken.ports, rule.ports) && placesCover(taken.inInterfaces, rule.inInterfaces),
    );
    if (taking.length === 0 || !contains(union(...taking.map(({ who }) => who)), own)) return [];
    return [
      `The rule ${name} changes nothing: ${taking.map((lead) => lead.name).join(' and ')} of "portForwards" leads all of it elsewhere.`,
    ];
  }
  const passed = leads.find((lead) => meet(rule, lead.taken) && !isNobody(undenied(own, lead, denials)));
  if (passed === undefined) return [];
  return [
    `The rule ${name} does not keep out whom the port forward ${passed.name} leads to ${passed.target}: deny them in the rules of "forward" too.`,
  ];
}

/** Those of the senders that a forward leads on, and that no rule of `forward` stops. */
function undenied(who: Addresses, lead: Lead, denials: readonly Named[]): Addresses {
  const led = without(lead.who, without(lead.who, who));
  const stopping = denials
    .flatMap(([, rule]) => deniedTo(lead, rule))
    .filter(({ inInterfaces }) => placesCover(inInterfaces, lead.forward.inInterfaces));
  return without(led, union(...stopping.map(({ from }) => addressesOf(from))));
}

function warning(message: string): Found {
  return { severity: 'warning', message };
}

function contradiction(message: string): Found {
  return { severity: 'error', message };
}
