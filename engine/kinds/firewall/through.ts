import { type Cell, cutsOf, matched, meet } from './cells.ts';
import { type Flow, type Flows, sendersOf, union, without } from './flows.ts';
import { denialOf, takenBy, targetOf } from './led.ts';
import { BY, changesOf, gateComparison, type Verb } from './reach.ts';
import type { DesiredFirewall, NamedServers, Rule } from './spec.ts';
import { whoText } from './texts.ts';
import { type Gate, isAccept, sizeOf, WORK_MAX, workOf, workOfPairs, workOfRules } from './traffic.ts';

/**
 * Who gets through the host to whom, after and not before, and the other way round. Where the default changes, one sentence
 * stands for the rest of the world.
 */
export function forwardChanges(before: Gate, after: Gate, servers: NamedServers): readonly string[] {
  const all = [...before.rules, ...after.rules];
  if (workOfPairs(all) > WORK_MAX) return [TOO_MANY_RULES];
  const summed = summary(before, after);
  const [was, is] = summed === undefined ? changedPart(before, after) : [before, after];
  if (workOf(was, is) > WORK_MAX) return [...(summed === undefined ? [] : [summed.text]), TOO_MANY_RULES];
  const each = changesOf(gateComparison(was, is, servers)).filter(({ verb }) => verb !== summed?.verb);
  return [...(summed === undefined ? [] : [summed]), ...each].map(({ text }) => text);
}

const TOO_MANY_RULES =
  'there are too many rules of "forward" to say who gains and loses what through the host';

function summary(before: Gate, after: Gate): { readonly verb: Verb; readonly text: string } | undefined {
  if (before.default === after.default) return undefined;
  const accepts = after.rules.filter(isAccept).length;
  const [verb, rest, does] =
    after.default === 'drop'
      ? (['loses', accepts, 'accepts'] as const)
      : (['gains', after.rules.length - accepts, 'denies'] as const);
  const but = rest > 0 ? ` but what "forward" ${does}` : '';
  return { verb, text: `everyone ${verb} everything through the host${but}` };
}

/** Both without the rules that meet none of those that differ: nothing changes for what they are about. */
function changedPart(before: Gate, after: Gate): readonly [Gate, Gate] {
  const changed = [...differing(before.rules, after.rules), ...differing(after.rules, before.rules)];
  const near = (gate: Gate): Gate => ({
    ...gate,
    rules: gate.rules.filter((rule) => changed.some((one) => meet(one, rule))),
  });
  return [near(before), near(after)];
}

function differing(rules: readonly Rule[], others: readonly Rule[]): readonly Rule[] {
  const known = new Set(others.map((rule) => JSON.stringify(rule)));
  return rules.filter((rule) => !known.has(JSON.stringify(rule)));
}

/** A port forward, with what `forward` makes of it. */
interface Lead {
  readonly target: string;
  readonly taken: Rule;
  readonly denials: readonly Rule[];
  /** Names of rules that deny it, or not, by where it leaves. */
  readonly unsure: readonly string[];
}

type Leading = Pick<DesiredFirewall, 'portForwards' | 'forward'>;

/** Who is led where by port forwards, after and not before, and the other way round. */
export function ledChanges(
  before: Leading | undefined,
  after: Leading,
  servers: NamedServers,
): readonly string[] {
  if (workOfLeads(after) + (before === undefined ? 0 : workOfLeads(before)) > WORK_MAX)
    return [TOO_MANY_LEADS];
  const [was, is] = [before === undefined ? [] : leadsOf(before), leadsOf(after)];
  const changed = [...new Set([...is, ...was].map(({ target }) => target))]
    .map((target) => ({ target, was: nearTo(target, was), is: nearTo(target, is) }))
    .filter((one) => JSON.stringify(one.was) !== JSON.stringify(one.is));
  const work = changed.map((one) => workOfRules(rulesOf([...one.was, ...one.is])));
  if (work.reduce((sum, one) => sum + one, 0) > WORK_MAX) return [TOO_MANY_LEADS];
  return changed.flatMap((one) => changesOfTarget(one, servers));
}

const TOO_MANY_LEADS = 'there are too many port forwards and rules to say who is led where';

function workOfLeads({ portForwards, forward }: Leading): number {
  const leads = Object.values(portForwards).map(takenBy);
  return workOfPairs(leads) + leads.length * sizeOf(Object.values(forward?.rules ?? {}));
}

function leadsOf({ portForwards, forward }: Leading): readonly Lead[] {
  const denials = Object.entries(forward?.rules ?? {}).filter(([, rule]) => !isAccept(rule));
  return Object.values(portForwards).map((one) => {
    const taken = takenBy(one);
    const denied = denials.flatMap(([name, rule]) => {
      const denial = denialOf(one, rule);
      return denial === undefined || !meet(denial, taken) ? [] : [{ name, denial }];
    });
    const sure = denied.filter(({ denial }) => denial.outInterfaces.length === 0);
    return {
      target: targetOf(one),
      taken,
      denials: sure.map(({ denial }) => denial),
      unsure: denied.filter((each) => !sure.includes(each)).map(({ name }) => name),
    };
  });
}

/** Those that lead there, and those that have something to do with them. */
function nearTo(target: string, leads: readonly Lead[]): readonly Lead[] {
  const there = leads.filter((lead) => lead.target === target);
  return leads.filter((lead) => there.some((one) => one === lead || meet(one.taken, lead.taken)));
}

function rulesOf(leads: readonly Lead[]): readonly Rule[] {
  return leads.flatMap(({ taken, denials }) => [taken, ...denials]);
}

interface Target {
  readonly target: string;
  readonly was: readonly Lead[];
  readonly is: readonly Lead[];
}

function changesOfTarget({ target, was, is }: Target, servers: NamedServers): readonly string[] {
  const changes = changesOf({
    cuts: cutsOf(rulesOf([...was, ...is])),
    before: (cell) => ledTo(target, was, cell),
    after: (cell) => ledTo(target, is, cell),
    parties: (flows) => [{ who: whoText(sendersOf(flows), servers), whom: ` led on to ${target}` }],
    by: BY,
  });
  return changes.map(({ verb, text }) => `${text}${unlessText(target, verb === 'gains' ? is : was)}`);
}

/** The first in the document that a packet matches has it. */
function ledTo(target: string, leads: readonly Lead[], cell: Cell): Flows {
  let taken: Flows = [];
  const led: Flow[] = [];
  for (const lead of leads) {
    const own = matched(lead.taken, cell);
    const denied = lead.denials.flatMap((rule) => matched(rule, cell));
    if (lead.target === target) led.push(...without(without(own, taken), denied));
    taken = union([...taken, ...own]);
  }
  return union(led);
}

function unlessText(target: string, leads: readonly Lead[]): string {
  const unsure = leads.filter((lead) => lead.target === target).flatMap((lead) => lead.unsure);
  const names = [...new Set(unsure)].join(' and ');
  return names === '' ? '' : `, unless ${names} of "forward" denies it by where it leaves`;
}
