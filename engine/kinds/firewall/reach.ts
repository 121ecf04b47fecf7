import { type Addresses, addressesOf, blocksOf, EVERYBODY, isNobody, overlap, without } from './addresses.ts';
import type { NamedServers } from './spec.ts';
import { type Cell, cellsOf, type Gate, passing, WORK_MAX, workOf } from './traffic.ts';

/** What becomes of some addresses in one cell. */
interface Change {
  readonly who: string;
  readonly verb: 'gains' | 'loses';
  readonly cell: Cell;
}

/**
 * Who gets through after and not before, and the other way round: `10.0.0.0/8 gains tcp/443`. Follows from the rules alone;
 * rate limits do not count.
 */
export function reachChanges(before: Gate, after: Gate, servers: NamedServers): readonly string[] {
  if (workOf(before, after) > WORK_MAX) return ['there are too many rules to say who gains and loses what'];
  const cells = cellsOf(before, after);
  const changes = cells.flatMap((cell): readonly Change[] => {
    const [was, is] = [passing(before, cell), passing(after, cell)];
    const of = (verb: Change['verb'], set: Addresses) =>
      isNobody(set) ? [] : [{ who: whoText(set, servers), verb, cell }];
    return [...of('gains', without(is, was)), ...of('loses', without(was, is))];
  });
  const places = new Set(cells.map(({ on }) => on)).size;
  return grouped(changes, cells, places).map(({ who, verb, ports, on }) =>
    after.direction === 'in' ? `${who} ${verb} ${ports}${on}` : `the host ${verb} ${ports} of ${who}${on}`,
  );
}

interface Group {
  readonly who: string;
  readonly verb: Change['verb'];
  readonly ports: string;
  readonly on: string;
}

/** Cells of the same fate as one sentence; where it is the same on all interfaces, they are not named. */
function grouped(changes: readonly Change[], cells: readonly Cell[], places: number): readonly Group[] {
  const byRange = gather(changes, ({ who, verb, cell }) => [verb, who, cell.protocol, cell.first]);
  const ranges = byRange.map((same) => ({ same, on: placesText(same, places) }));
  const byFate = gather(ranges, ({ same: [first], on }) => [first?.verb, first?.who, on]);
  return byFate.flatMap((fate) => {
    const [first] = fate[0]?.same ?? [];
    if (first === undefined) return [];
    const own = fate.flatMap(({ same }) => same.map(({ cell }) => cell));
    return [{ who: first.who, verb: first.verb, ports: portsOf(own, cells), on: fate[0]?.on ?? '' }];
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

function placesText(same: readonly Change[], places: number): string {
  if (same.length === places) return '';
  return ` on ${same.map(({ cell }) => cell.on ?? 'other interfaces').join(', ')}`;
}

const LAST_PORT = 65_535;
/** Ranges in one sentence; the rest are counted. */
const PORTS_SHOWN = 12;

type Ports = Omit<Cell, 'on'>;

/** `everything`, or `everything but tcp/22` where that is shorter. `all`: every cell there is. */
function portsOf(cells: readonly Ports[], all: readonly Ports[]): string {
  const key = ({ protocol, first }: Ports) => `${protocol}/${first}`;
  const own = new Set(cells.map(key));
  const rest = all.filter((cell) => !own.has(key(cell)));
  if (rest.length === 0) return 'everything';
  const shorter = own.has('other/0') && joined(rest).length < joined(cells).length;
  return shorter ? `everything but ${portsText(rest)}` : portsText(cells);
}

/** `tcp/80, tcp/443, udp/6000-6010`; ranges that touch are one. */
export function portsText(cells: readonly Ports[]): string {
  const ranges = joined(cells);
  const shown = ranges.slice(0, PORTS_SHOWN).map(rangeText);
  const rest = ranges.length - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function joined(cells: readonly Ports[]): readonly Ports[] {
  const ranges: Ports[] = [];
  for (const next of [...cells].sort(byPlace)) {
    const open = ranges.at(-1);
    if (open?.protocol === next.protocol && next.first <= open.last + 1)
      ranges[ranges.length - 1] = { ...open, last: Math.max(open.last, next.last) };
    else ranges.push(next);
  }
  return ranges;
}

/** Well-known protocols first, as people say them. */
const ORDER: readonly string[] = ['tcp', 'udp'];

function byPlace(a: Ports, b: Ports): number {
  const rank = ({ protocol }: Ports) => (ORDER.includes(protocol) ? ORDER.indexOf(protocol) : 9);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  return a.protocol === b.protocol ? a.first - b.first : a.protocol < b.protocol ? -1 : 1;
}

function rangeText({ protocol, first, last }: Ports): string {
  if (protocol === 'other') return 'other protocols';
  if (first === 0 && last === LAST_PORT) return `all of ${protocol}`;
  return `${protocol}/${first === last ? first : `${first}-${last}`}`;
}

/** Blocks in one sentence; the rest are counted. */
const BLOCKS_SHOWN = 4;

/** `everyone`, `10.0.0.0/8`, `everyone but 10.0.0.9 (db-1)`. */
export function whoText(set: Addresses, servers: NamedServers): string {
  const others = without(EVERYBODY, set);
  if (isNobody(others)) return 'everyone';
  if (isNobody(set)) return 'nobody';
  const [here, away] = [blocksOf(set), blocksOf(others)];
  const one = FAMILIES.find(({ block }) => here.length === 1 && here[0] === block);
  if (one !== undefined) return `everyone over ${one.name}`;
  return away.length < here.length
    ? `everyone but ${listText(away)}${namesText(others, servers)}`
    : `${listText(here)}${namesText(set, servers)}`;
}

const FAMILIES = [
  { name: 'IPv4', block: '0.0.0.0/0' },
  { name: 'IPv6', block: '::/0' },
] as const;

function listText(blocks: readonly string[]): string {
  const rest = blocks.length - BLOCKS_SHOWN;
  return rest > 0 ? `${blocks.slice(0, BLOCKS_SHOWN).join(', ')} and ${rest} more` : blocks.join(', ');
}

/** Servers in one sentence; the rest are counted. */
const SERVERS_SHOWN = 6;

/** ` (db-1, web-1)`: the servers that these addresses are, or empty. */
function namesText(set: Addresses, servers: NamedServers): string {
  const names = Object.entries(servers).flatMap(([name, addresses]) =>
    overlap(addressesOf(addresses), set) ? [name] : [],
  );
  const rest = names.length - SERVERS_SHOWN;
  const shown = names.slice(0, SERVERS_SHOWN).join(', ');
  return names.length === 0 ? '' : ` (${shown}${rest > 0 ? ` and ${rest} more` : ''})`;
}
