import { type Addresses, addressesOf, blocksOf, EVERYBODY, isNobody, overlap, without } from './addresses.ts';
import type { Ports } from './cells.ts';
import type { NamedServers } from './spec.ts';

const LAST_PORT = 65_535;
/** Ranges in one sentence; the rest are counted. */
const PORTS_SHOWN = 12;

/** `everything`, or `everything but tcp/22` where that is shorter. `all`: every cell there is. */
export function portsOf(cells: readonly Ports[], all: readonly Ports[]): string {
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
