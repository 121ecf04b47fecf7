import { type Cell, cellsOf, cutsWithin, matched, meet } from './cells.ts';
import { contains, type Flows, flowsOf, overlap, union } from './flows.ts';
import { forwardOddities, workOfForwards } from './forwards.ts';
import { ledOn } from './led.ts';
import type { ReadFirewall } from './read.ts';
import type { Rule, Rules } from './spec.ts';
import {
  blocksIn,
  cutsOfGates,
  forwardGate,
  type Gate,
  isAccept,
  openGate,
  WORK_MAX,
  workOf,
  workOfPairs,
} from './traffic.ts';

/** Something odd about one part of the document, as a sentence. */
export interface Oddity {
  readonly severity: 'error' | 'warning';
  readonly pointer: string;
  readonly message: string;
}

/** Rules and port forwards that contradict each other or do nothing. */
export function oddities(firewall: ReadFirewall, ports: ReadonlySet<number>): readonly Oddity[] {
  const [incoming, outgoing] = gatesOf(firewall, ports);
  const cuts = cuttingRules(firewall.inbound, incoming.always);
  if (workOf(incoming) + workOf(outgoing) + workOfForwards(firewall) > WORK_MAX)
    return [...cuts, { severity: 'warning', pointer: '/spec/targets', message: TOO_MUCH }];
  return [
    ...cuts,
    ...ofGate(incoming, firewall.inbound, '/spec/inbound'),
    ...ofGate(outgoing, firewall.outbound.rules, '/spec/outbound/rules'),
    ...throughOddities(firewall),
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
  return meets && overlap(flowsOf(rule), flowsOf(own));
}

function gatesOf(
  { inbound, outbound, management }: ReadFirewall,
  ports: ReadonlySet<number>,
): readonly [Gate, Gate] {
  const managed = [...ports].map((port) => ({ protocol: 'tcp', first: port, last: port }) as const);
  const always = [{ ...ANY, ports: managed, from: management.from }];
  return [
    { ...openGate('in'), default: 'drop', rules: Object.values(inbound), always },
    { ...openGate('out'), default: outbound.default, rules: Object.values(outbound.rules) },
  ];
}

const ANY: Omit<Rule, 'ports' | 'from'> = {
  action: 'accept',
  to: null,
  inInterfaces: [],
  outInterfaces: [],
  log: false,
};

/** What is led elsewhere passes through as well, unless a rule denies it. */
function throughOddities(firewall: ReadFirewall): readonly Oddity[] {
  const gate = forwardGate(firewall);
  if (workThrough(gate) > WORK_MAX)
    return [{ severity: 'warning', pointer: '/spec/forward/rules', message: TOO_MUCH_THROUGH }];
  const led = Object.values(firewall.portForwards).map(ledOn);
  return ofGate(gate, firewall.forward?.rules ?? {}, '/spec/forward/rules', led);
}

const TOO_MUCH_THROUGH =
  'These rules have too many ports, zones and addresses together to look for those that contradict others or do nothing.';

/** Every pair of rules; then the cells of each rule that accepts, in what those make of it that it meets. */
function workThrough(gate: Gate): number {
  const { rules } = gate;
  let work = workOfPairs(rules);
  for (const rule of rules.filter(isAccept)) {
    if (work > WORK_MAX) return work;
    const near = nearTo(gate, rule);
    const own = cutsWithin(cutsOfGates(near), rule);
    work += own.ports.length * own.ins.length * own.outs.length * (rules.length + blocksIn(near.rules));
  }
  return work;
}

/** What passes through has more sides than can be cut everywhere where some rule ends: one rule is seen among those it meets. */
function nearTo(gate: Gate, rule: Rule): Gate {
  return { ...gate, rules: gate.rules.filter((other) => other === rule || meet(other, rule)) };
}

/** The cells that a rule is about, with those it is about there. */
type Own = readonly { readonly cell: Cell; readonly who: Flows }[];

function cellsOfRules(gate: Gate): (rule: Rule) => Own {
  const all = gate.direction === 'through' ? undefined : cutsOfGates(gate);
  return (rule) =>
    cellsOf(cutsWithin(all ?? cutsOfGates(nearTo(gate, rule)), rule))
      .map((cell) => ({ cell, who: matched(rule, cell) }))
      .filter(({ who }) => who.length > 0);
}

/** `led`: what port forwards lead through. */
function ofGate(gate: Gate, rules: Rules, pointer: string, led: readonly Rule[] = []): readonly Oddity[] {
  const cellsOfRule = cellsOfRules(gate);
  return Object.entries(rules).flatMap(([name, rule]) => {
    const others = Object.entries(rules).filter(([other]) => other !== name);
    const found =
      ofNobody(gate, name, rule) ??
      (isAccept(rule)
        ? ofAccept(gate, name, rule, cellsOfRule(rule), others)
        : ofDenial(gate, name, rule, [...others.map(([, other]) => other), ...led]));
    return found === undefined ? [] : [{ ...found, pointer: `${pointer}/${name}` }];
  });
}

type Found = Omit<Oddity, 'pointer'>;
type Named = readonly [string, Rule];

function warning(message: string): Found {
  return { severity: 'warning', message };
}

function ofNobody({ direction }: Gate, name: string, rule: Rule): Found | undefined {
  if (direction !== 'through' || flowsOf(rule).length > 0) return undefined;
  return warning(
    `The rule ${name} changes nothing: its "from" and "to" have no family of addresses in common.`,
  );
}

function ofAccept(
  gate: Gate,
  name: string,
  rule: Rule,
  own: Own,
  others: readonly Named[],
): Found | undefined {
  const denying = others.filter(([, other]) => !isAccept(other));
  const denied = coveredBy(own, denying);
  if (denied !== undefined) {
    const message = `The rule ${name} accepts what ${denied} denies, and what is denied stays out; remove one of the two.`;
    return { severity: 'error', message };
  }
  if (rule.rateLimit !== undefined || rule.log) return undefined;
  // With several ports it would hold on some servers only.
  const always = gate.always.filter(({ ports }) => ports.length === 1).map((one) => ['', one] as const);
  if (coveredBy(own, always) !== undefined) return warning(openAnyway(name, gate));
  if (gate.default === 'accept')
    return warning(
      `The rule ${name} changes nothing: all may ${gate.direction === 'out' ? 'go out' : 'pass'} anyway.`,
    );
  // Of two that are the same, the later one is spoken of.
  const wider = others.filter(([other, one]) => isAccept(one) && (other < name || !isSame(one, rule)));
  const covering = coveredBy(own, wider);
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

/** `others`: all that may accept some of it. */
function ofDenial(gate: Gate, name: string, rule: Rule, others: readonly Rule[]): Found | undefined {
  if (rule.log || gate.default === 'accept' || rule.action === 'reject') return undefined;
  if (others.some((other) => isAccept(other) && meet(rule, other))) return undefined;
  return warning(`The rule ${name} changes nothing: no rule accepts any of it.`);
}

/** The names of the rules that together cover all of these cells, undefined where they do not. */
function coveredBy(own: Own, others: readonly Named[]): string | undefined {
  const using = new Set<string>();
  for (const { cell, who } of own) {
    const parts = others.map(([name, other]) => ({ name, set: matched(other, cell) }));
    if (!contains(union(parts.flatMap(({ set }) => set)), who)) return undefined;
    for (const { name, set } of parts) if (overlap(set, who)) using.add(name);
  }
  return own.length === 0 ? undefined : [...using].join(' and ');
}
