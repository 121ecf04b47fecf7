import { cutsOf, meet } from './cells.ts';
import { sendersOf } from './flows.ts';
import { type Lead, type Leading, leadsOf, ledBy, workOfLeads } from './leads.ts';
import { BY, changesOf, gateComparison, type Verb } from './reach.ts';
import type { NamedServers, Rule } from './spec.ts';
import { whoText } from './texts.ts';
import { type Gate, isAccept, WORK_MAX, workOf, workOfPairs, workOfRules } from './traffic.ts';

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
    before: (cell) => ledBy(was, cell, target),
    after: (cell) => ledBy(is, cell, target),
    parties: (flows) => [{ who: whoText(sendersOf(flows), servers), whom: ` led on to ${target}` }],
    by: BY,
  });
  return changes.map(({ verb, text }) => `${text}${unlessText(target, verb === 'gains' ? is : was)}`);
}

function unlessText(target: string, leads: readonly Lead[]): string {
  const unsure = leads.filter((lead) => lead.target === target).flatMap((lead) => lead.unsure);
  const names = [...new Set(unsure.map(({ name }) => name))].join(' and ');
  return names === '' ? '' : `, unless ${names} of "forward" denies it by where it leaves`;
}
