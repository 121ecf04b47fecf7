import { type Addresses, addressesOf, contains, isNobody, overlap, union } from './addresses.ts';
import { forwardOddities, workOfForwards } from './forwards.ts';
import type { ReadFirewall } from './read.ts';
import type { Rule, Rules } from './spec.ts';
import { type Cell, cellsOf, type Gate, isAccept, matched, WORK_MAX, workOf } from './traffic.ts';

/** Something odd about one part of the document, as a sentence. */
export interface Oddity {
  readonly severity: 'error' | 'warning';
  readonly pointer: string;
  readonly message: string;
}

/**
 * Rules and port forwards that contradict each other or do nothing. Of the rules of `forward` only what they deny of port
 * forwards is looked at: what passes through has two sides.
 */
export function oddities(firewall: ReadFirewall, ports: ReadonlySet<number>): readonly Oddity[] {
  const [incoming, outgoing] = gatesOf(firewall, ports);
  const cuts = cuttingRules(firewall.inbound, incoming.always);
  if (workOf(incoming) + workOf(outgoing) + workOfForwards(firewall) > WORK_MAX)
    return [...cuts, { severity: 'warning', pointer: '/spec/targets', message: TOO_MUCH }];
  return [
    ...cuts,
    ...ofGate(incoming, firewall.inbound, '/spec/inbound'),
    ...ofGate(outgoing, firewall.outbound.rules, '/spec/outbound/rules'),
    ...forwardOddities(firewall),
  ];
}

const TOO_MUCH =
  'This firewall has too many rules, ports, zones and addresses together to look for rules that contradict others or do nothing.';

/** What is denied by port and not just by sender would be the engine's own way in. */
function cuttingRules(inbound: Rules, always: readonly Rule[]): readonly Oddity[] {
  return Object.entries(inbound).flatMap(([name, rule]) => {
    if (isAccept(rule) || !always.some((own) => isAbout(rule, own))) return [];
    const message = `The rule ${name} would keep the engine out of the server, so it can never hold; say in "management" from where the engine comes, and remove the rule.`;
    return [{ severity: 'error', pointer: `/spec/inbound/${name}`, message }];
  });
}

function isAbout(rule: Rule, own: Rule): boolean {
  const meets = own.ports.some((a) =>
    rule.ports.some((b) => a.protocol === b.protocol && b.first <= a.first && a.last <= b.last),
  );
  return meets && overlap(addressesOf(rule.from), addressesOf(own.from));
}

function gatesOf(
  { inbound, outbound, management }: ReadFirewall,
  ports: ReadonlySet<number>,
): readonly [Gate, Gate] {
  const managed = [...ports].map((port) => ({ protocol: 'tcp', first: port, last: port }) as const);
  const always = [{ ...ANY, ports: managed, from: management.from }];
  return [
    { direction: 'in', default: 'drop', rules: Object.values(inbound), always },
    { direction: 'out', default: outbound.default, rules: Object.values(outbound.rules), always: [] },
  ];
}

const ANY: Omit<Rule, 'ports' | 'from'> = {
  action: 'accept',
  to: null,
  inInterfaces: [],
  outInterfaces: [],
  log: false,
};

/** A gate with the cells that each of its rules is about. */
interface View {
  readonly gate: Gate;
  readonly cellsOf: (rule: Rule) => readonly { readonly cell: Cell; readonly who: Addresses }[];
}

function viewOf(gate: Gate): View {
  const all = cellsOf(gate);
  const ofRule = (rule: Rule) =>
    all.map((cell) => ({ cell, who: matched(gate, rule, cell) })).filter(({ who }) => !isNobody(who));
  const known = new Map(gate.rules.map((rule) => [rule, ofRule(rule)]));
  return { gate, cellsOf: (rule) => known.get(rule) ?? ofRule(rule) };
}

function ofGate(gate: Gate, rules: Rules, pointer: string): readonly Oddity[] {
  const view = viewOf(gate);
  return Object.entries(rules).flatMap(([name, rule]) => {
    const others = Object.entries(rules).filter(([other]) => other !== name);
    const found = isAccept(rule) ? ofAccept(view, name, rule, others) : ofDenial(view, name, rule, others);
    return found === undefined ? [] : [{ ...found, pointer: `${pointer}/${name}` }];
  });
}

type Found = Omit<Oddity, 'pointer'>;
type Named = readonly [string, Rule];

function ofAccept(view: View, name: string, rule: Rule, others: readonly Named[]): Found | undefined {
  const { gate } = view;
  const warning = (message: string): Found => ({ severity: 'warning', message });
  const denying = others.filter(([, other]) => !isAccept(other));
  const denied = coveredBy(view, rule, denying);
  if (denied !== undefined) {
    const message = `The rule ${name} accepts what ${denied} denies, and what is denied stays out; remove one of the two.`;
    return { severity: 'error', message };
  }
  if (rule.rateLimit !== undefined || rule.log) return undefined;
  // With several ports it would hold on some servers only.
  const always = gate.always.filter(({ ports }) => ports.length === 1).map((one) => ['', one] as const);
  if (coveredBy(view, rule, always) !== undefined) return warning(openAnyway(name, gate));
  if (gate.default === 'accept') return warning(`The rule ${name} changes nothing: all may go out anyway.`);
  // Of two that are the same, the later one is spoken of.
  const wider = others.filter(([other, one]) => isAccept(one) && (other < name || !isSame(one, rule)));
  const covering = coveredBy(view, rule, wider);
  return covering === undefined
    ? undefined
    : warning(`The rule ${name} changes nothing: ${covering} accepts all of it.`);
}

function openAnyway(name: string, { always }: Gate): string {
  const open = always.some(({ from }) => from === null)
    ? 'everyone may log in, unless "management" says "from" where'
    : '"management" lets all of them in';
  return `The rule ${name} changes nothing: ${open}.`;
}

function isSame(a: Rule, b: Rule): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function ofDenial(view: View, name: string, rule: Rule, others: readonly Named[]): Found | undefined {
  const { gate } = view;
  if (rule.log || gate.default === 'accept') return undefined;
  const accepting = others.filter(([, other]) => isAccept(other));
  if (rule.action === 'reject' || accepting.some(([, other]) => meets(view, rule, other))) return undefined;
  return {
    severity: 'warning',
    message: `The rule ${name} changes nothing: no rule accepts any of it.`,
  };
}

/** The names of the rules that together cover all of this one, undefined where they do not. */
function coveredBy(view: View, rule: Rule, others: readonly Named[]): string | undefined {
  const own = view.cellsOf(rule);
  const using = new Set<string>();
  for (const { cell, who } of own) {
    const parts = others.map(([name, other]) => ({ name, set: matched(view.gate, other, cell) }));
    if (!contains(union(...parts.map(({ set }) => set)), who)) return undefined;
    for (const { name, set } of parts) if (overlap(set, who)) using.add(name);
  }
  return own.length === 0 ? undefined : [...using].join(' and ');
}

function meets(view: View, a: Rule, b: Rule): boolean {
  return view.cellsOf(a).some(({ cell, who }) => overlap(who, matched(view.gate, b, cell)));
}
