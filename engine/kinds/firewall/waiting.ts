import type { FirewallAround, Listener } from '../../facts/firewallAround.ts';
import { isWithin } from './cells.ts';
import type { DesiredFirewall, PortRange } from './spec.ts';
import { cutsOfGates, inboundGate, passing } from './traffic.ts';

/** A program that waits for packets of others. */
export interface Waiting extends Listener {
  readonly protocol: 'tcp' | 'udp';
}

type Around = Pick<FirewallAround, 'listeners' | 'udp' | 'ephemeral' | 'wireGuards' | 'vpn'>;

/** Who waits for what others begin. */
export function waitingOn(around: Around): readonly Waiting[] {
  const { listeners, udp, wireGuards } = around;
  const named = (one: Listener) =>
    one.program === '' ? (wireGuards.find(({ port }) => port === one.port)?.name ?? '') : one.program;
  return [
    ...listeners.map((one): Waiting => ({ ...one, protocol: 'tcp' })),
    ...udp
      .filter((one) => isAwaited(one, around))
      .map((one): Waiting => ({ port: one.port, program: named(one), protocol: 'udp' })),
  ];
}

/**
 * DHCP, whose answers always come in; mDNS and LLMNR, which desktops' parts of a server join without anybody who needs it. Both are
 * all that the usual dhclient, avahi-daemon and systemd-resolved wait for.
 */
const UNASKED: readonly number[] = [68, 546, 5353, 5355];
/** They ask others from ports of any number, for moments. */
const RESOLVERS = /^(unbound|dnsmasq|named|pdns_recursor|kresd)$/;
const WELL_KNOWN_MAX = 1_023;
const WIREGUARD = 51_820;

/** UDP has no listeners: what only asks others has a port that the kernel chose. */
function isAwaited(
  { port, program }: Listener,
  { ephemeral, wireGuards }: Pick<Around, 'ephemeral' | 'wireGuards'>,
): boolean {
  if (UNASKED.includes(port) || (RESOLVERS.test(program) && port > WELL_KNOWN_MAX)) return false;
  if (port < ephemeral.first || port > ephemeral.last || port === WIREGUARD) return true;
  return wireGuards.some((one) => one.port === port || (one.port === undefined && program === ''));
}

/** Whom nobody reaches with these rules. */
export function unreached(desired: DesiredFirewall, waiting: readonly Waiting[]): readonly Waiting[] {
  const isOpen = openness(desired);
  return waiting.filter((one) => !isOpen(one));
}

/** `by`: an interface that packets do not come by. */
function openness(desired: DesiredFirewall, not?: string): (one: Omit<Waiting, 'program'>) => boolean {
  const gate = inboundGate(desired);
  const ins = cutsOfGates(gate).ins.filter((name) => not === undefined || !isWithin(not, name ?? ''));
  return ({ protocol, port }) =>
    ins.some(
      (name) => passing(gate, { protocol, first: port, last: port, in: name, out: undefined }).length > 0,
    );
}

/** Programs whose interfaces are tun(4) or tap. */
const VPNS = /^(openvpn|tincd|wireguard-go|boringtun(-cli)?)$/;
const VXLAN: readonly number[] = [4789, 8472];

/**
 * What carries the VPN that the engine's login comes by, if it ends on the host and these rules let none of it in. A fresh login does
 * not tell: what the host itself sends to its peer lets the peer's packets in until both are silent for two minutes
 * (nf_conntrack_udp_timeout_stream), or the host boots.
 */
export function shutVpn(desired: DesiredFirewall, around: Around): readonly PortRange[] {
  const { vpn } = around;
  if (vpn === undefined) return [];
  const carriers = carriersOf(vpn, around);
  const isOpen = openness(desired, vpn);
  if (carriers.some(isOpen)) return [];
  return carriers.map(({ protocol, port }) => ({ protocol, first: port, last: port }));
}

function carriersOf(vpn: string, around: Around): readonly Omit<Waiting, 'program'>[] {
  const own = around.wireGuards.find(({ name }) => name === vpn);
  if (own?.kept) return [];
  if (own?.port !== undefined) return [{ protocol: 'udp', port: own.port }];
  const isKernels = ({ port, program }: Waiting) =>
    own !== undefined && program === '' && !VXLAN.includes(port);
  return waitingOn(around).filter(
    (one) => VPNS.test(one.program) || (one.protocol === 'udp' && isKernels(one)),
  );
}

/** They only hold the port; rules of theirs lead its IPv4 packets on before ours see them. rootlessport, pasta and the like do without. */
const LEADING: ReadonlyMap<string, string> = new Map([
  ['docker-proxy', 'Docker'],
  ['conmon', 'Podman'],
]);
/** Of the dockerd(8) itself: its API, Swarm and metrics. With Swarm or without docker-proxy it holds published ports as well. */
const DOCKERD: readonly number[] = [2375, 2376, 2377, 7946, 9323];

/** Whose rules lead this port on to a container; undefined: it is the program's own. */
export function leaderOf({ program, port }: Listener): string | undefined {
  if (program === 'dockerd') return DOCKERD.includes(port) ? undefined : 'Docker';
  return LEADING.get(program);
}
