import { isIP } from 'node:net';
import type { FirewallState } from '../../facts/firewall.ts';
import type { KindFinding, PlanContext } from '../kind.ts';
import { addressesOf, contains, isNobody } from './addresses.ts';
import { receiversOf } from './flows.ts';
import type { DesiredFirewall, PortRange, ResolvedFirewall } from './spec.ts';
import { portsText } from './texts.ts';
import { isAccept, outboundGate, passing, WORK_MAX, workOf } from './traffic.ts';
import { shutVpn } from './waiting.ts';

/**
 * Whether the engine could still log in with these rules, by what the host saw of the login that read it. A document that
 * would cut it off is an error, however it is meant.
 */
export function accessFindings(
  { desired }: ResolvedFirewall,
  now: FirewallState,
  { server }: PlanContext,
): readonly KindFinding[] {
  const { management } = desired;
  const { login, present } = now;
  if (login === undefined) {
    const message =
      'the host does not say from where the engine logs in (there is no SSH_CONNECTION), so it cannot be checked that "management" lets it in';
    return [
      ...(management.from === null ? [] : [{ severity: 'warning' as const, message }]),
      ...jumpFindings(desired),
    ];
  }
  return [
    ...(login.port === management.port ? [] : [wrongPort(login.port, management.port, server.name)]),
    ...(management.from === null && !present ? [openToAll(login.address)] : []),
    ...(contains(addressesOf(management.from), addressesOf([login.address])) ? [] : [shutOut(login.address)]),
    ...jumpFindings(desired),
    ...vpnFindings(now.vpn, shutVpn(desired, now)),
  ];
}

function wrongPort(seen: number, wanted: number, name: string): KindFinding {
  const message =
    `this would cut the engine's own access: its login to ${name} arrives at port ${seen} of the host, and the rules let it in at ` +
    `${wanted}; where a translation on the way changes the port, write "management: {port: ${seen}}"`;
  return { severity: 'error', message, pointer: '/management' };
}

/** Said once, when there is most to gain from it. */
function openToAll(address: string): KindFinding {
  const message = `everyone may still try to log in by SSH; "management: {from: [...]}" narrows that, and the host sees the engine come from ${address}`;
  return { severity: 'info', message };
}

function shutOut(address: string): KindFinding {
  const message =
    `this would cut the engine's own access: the host sees it come from ${address}, which "from" of "management" does not ` +
    'have; add it there';
  return { severity: 'error', message, pointer: '/management/from' };
}

/** UDP and TCP of DNS (RFC 1035, section 4.2), and DNS over TLS (RFC 7858). */
const DNS = [
  { protocol: 'udp', port: 53 },
  { protocol: 'tcp', port: 53 },
  { protocol: 'tcp', port: 853 },
] as const;

/** The login that proves the rules goes to this server only, so what is behind it would be lost unseen. */
function jumpFindings(desired: DesiredFirewall): readonly KindFinding[] {
  const name = desired.management.jumps.map(({ address }) => address).find((address) => isIP(address) === 0);
  if (name === undefined || mayAskNames(desired)) return [];
  const message =
    `this would cut the engine's own access to ${name}, which it gets to through this server: the server is to find that name, and ` +
    'nothing lets DNS out; add a rule with "service: dns" to "outbound", or give that Server an IP address';
  return [{ severity: 'error', message, pointer: '/outbound' }];
}

/** By some interface, whichever that is. */
function mayAskNames(desired: DesiredFirewall): boolean {
  const { rules, ...gate } = outboundGate(desired);
  const perhaps = rules.flatMap((rule) => {
    if (isAccept(rule)) return [{ ...rule, outInterfaces: [] }];
    return rule.outInterfaces.length > 0 ? [] : [rule];
  });
  const widest = { ...gate, rules: perhaps };
  if (workOf(widest) > WORK_MAX) return true;
  return DNS.some(({ protocol, port }) => {
    const cell = { protocol, first: port, last: port, in: undefined, out: undefined };
    return !isNobody(receiversOf(passing(widest, cell)));
  });
}

function vpnFindings(vpn: string | undefined, shut: readonly PortRange[]): readonly KindFinding[] {
  if (shut.length === 0) return [];
  const message =
    `this would cut the engine's own access: its login comes by ${vpn}, a VPN that ends on the host, and nobody could reach what ` +
    `carries it (${portsText(shut)}) once both ends were silent for minutes, or at the next boot; accept that in "inbound"`;
  return [{ severity: 'error', message, pointer: '/management' }];
}
