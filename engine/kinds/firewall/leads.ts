import { type Cell, matched, meet } from './cells.ts';
import { type Flow, type Flows, union, without } from './flows.ts';
import { denialOf, takenBy, targetOf } from './led.ts';
import type { DesiredFirewall, Rule } from './spec.ts';
import { isAccept, sizeOf, workOfPairs } from './traffic.ts';

/** A port forward, with what `forward` makes of it. */
export interface Lead {
  readonly target: string;
  readonly taken: Rule;
  readonly denials: readonly Rule[];
  /** Rules that deny it, or not, by where it leaves. */
  readonly unsure: readonly { readonly name: string; readonly denial: Rule }[];
}

export type Leading = Pick<DesiredFirewall, 'portForwards' | 'forward'>;

/** Work that `leadsOf` takes, and `ledBy` for one cell, as `workOf` counts it. */
export function workOfLeads({ portForwards, forward }: Leading): number {
  const leads = Object.values(portForwards).map(takenBy);
  return workOfPairs(leads) + leads.length * sizeOf(Object.values(forward?.rules ?? {}));
}

/** In the order of the document. */
export function leadsOf({ portForwards, forward }: Leading): readonly Lead[] {
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
      unsure: denied.filter((each) => !sure.includes(each)),
    };
  });
}

/** What these port forwards lead on of a cell, to one target or to any: the first that a packet matches has it. */
export function ledBy(leads: readonly Lead[], cell: Cell, target?: string): Flows {
  let taken: Flows = [];
  const led: Flow[] = [];
  for (const lead of leads) {
    const own = matched(lead.taken, cell);
    const denied = lead.denials.flatMap((rule) => matched(rule, cell));
    if (target === undefined || lead.target === target) led.push(...without(without(own, taken), denied));
    taken = union([...taken, ...own]);
  }
  return union(led);
}
