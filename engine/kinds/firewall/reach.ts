import { type Cell, type Cuts, cellsOf } from './cells.ts';
import { type Flows, receiversOf, sendersOf, union, without } from './flows.ts';
import type { NamedServers } from './spec.ts';
import { portsOf, whoText } from './texts.ts';
import { cutsOfGates, type Gate, passing, WORK_MAX, workOf } from './traffic.ts';

export type Verb = 'gains' | 'loses';

/** Who gains or loses a port, and whose it is, or where it leads. */
interface Parties {
  readonly who: string;
  readonly whom: string;
}

/** Who gets through before and after, in cells that both treat alike. */
export interface Comparison {
  readonly cuts: Cuts;
  readonly before: (cell: Cell) => Flows;
  readonly after: (cell: Cell) => Flows;
  /** Those of some flows, of which there is at least one. */
  readonly parties: (flows: Flows) => readonly Parties[];
  /** Words before the names of interfaces. */
  readonly by: { readonly in: string; readonly out: string };
}

export interface ReachChange {
  readonly verb: Verb;
  /** `10.0.0.0/8 gains tcp/443` */
  readonly text: string;
}

const ON = { in: ' on ', out: ' on ' };
export const BY = { in: ' in by ', out: ' out by ' };

/**
 * Who gets through after and not before, and the other way round. Follows from the rules alone; rate limits do not count.
 */
export function gateChanges(before: Gate, after: Gate, servers: NamedServers): readonly string[] {
  if (workOf(before, after) > WORK_MAX) return ['there are too many rules to say who gains and loses what'];
  return changesOf(gateComparison(before, after, servers)).map(({ text }) => text);
}

export function gateComparison(before: Gate, after: Gate, servers: NamedServers): Comparison {
  return {
    cuts: cutsOfGates(before, after),
    before: (cell) => passing(before, cell),
    after: (cell) => passing(after, cell),
    parties: (flows) => partiesOf(after.direction, flows, servers),
    by: after.direction === 'through' ? BY : ON,
  };
}

function partiesOf(direction: Gate['direction'], flows: Flows, servers: NamedServers): readonly Parties[] {
  switch (direction) {
    case 'in':
      return [{ who: whoText(sendersOf(flows), servers), whom: '' }];
    case 'out':
      return [{ who: 'the host', whom: ` of ${whoText(receiversOf(flows), servers)}` }];
    case 'through':
      return union(flows).map(({ from, to }) => ({
        who: whoText(from, servers),
        whom: ` of ${whoText(to, servers)} through the host`,
      }));
  }
}

/** What becomes of some addresses in one cell. */
interface Change extends Parties {
  readonly verb: Verb;
  readonly cell: Cell;
}

export function changesOf({ cuts, before, after, parties, by }: Comparison): readonly ReachChange[] {
  const changes = cellsOf(cuts).flatMap((cell): readonly Change[] => {
    const [was, is] = [before(cell), after(cell)];
    const of = (verb: Verb, flows: Flows) =>
      flows.length === 0 ? [] : parties(flows).map((one) => ({ ...one, verb, cell }));
    return [...of('gains', without(is, was)), ...of('loses', without(was, is))];
  });
  return grouped(changes, cuts, by);
}

/** Cells of the same fate as one sentence; where it is the same on all interfaces, they are not named. */
function grouped(changes: readonly Change[], cuts: Cuts, by: Comparison['by']): readonly ReachChange[] {
  const byRange = gather(changes, ({ who, whom, verb, cell }) => [
    verb,
    who,
    whom,
    cell.protocol,
    cell.first,
  ]);
  const ranges = byRange.flatMap((same) => placesTexts(same, cuts, by).map((on) => ({ same, on })));
  const byFate = gather(ranges, ({ same: [first], on }) => [first?.verb, first?.who, first?.whom, on]);
  return byFate.flatMap((fate) => {
    const [one] = fate;
    const [first] = one?.same ?? [];
    if (one === undefined || first === undefined) return [];
    const { who, verb, whom } = first;
    const ports = portsOf(
      fate.flatMap(({ same }) => same.map(({ cell }) => cell)),
      cuts.ports,
    );
    return [{ verb, text: `${who} ${verb} ${ports}${whom}${one.on}` }];
  });
}

/** What has the same key, in the order in which it comes. */
function gather<T>(all: readonly T[], keyOf: (one: T) => unknown): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = JSON.stringify(keyOf(one));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

/** Where one change holds: ways in that have the same ways out make one text. */
function placesTexts(same: readonly Change[], { ins, outs }: Cuts, by: Comparison['by']): readonly string[] {
  const ways = gather(same, ({ cell }) => cell.in ?? null).map((way) => ({
    in: way[0]?.cell.in,
    out: namesText(
      by.out,
      way.map(({ cell }) => cell.out),
      outs.length,
    ),
  }));
  return gather(ways, ({ out }) => out).map((alike) => {
    const names = alike.map((way) => way.in);
    return `${namesText(by.in, names, ins.length)}${alike[0]?.out ?? ''}`;
  });
}

/** Empty where these are all that there are. */
function namesText(by: string, all: readonly (string | undefined)[], count: number): string {
  const names = [...new Set(all)];
  return names.length === count ? '' : `${by}${names.map((name) => name ?? 'other interfaces').join(', ')}`;
}
