import type { FirewallState } from '../../facts/firewall.ts';
import type { KindFinding, PlanContext } from '../kind.ts';
import { addressesOf, contains } from './addresses.ts';
import type { PortRange, ResolvedFirewall } from './spec.ts';
import { portsText } from './texts.ts';
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
    return management.from === null ? [] : [{ severity: 'warning', message }];
  }
  return [
    ...(login.port === management.port ? [] : [wrongPort(login.port, management.port, server.name)]),
    ...(management.from === null && !present ? [openToAll(login.address)] : []),
    ...(contains(addressesOf(management.from), addressesOf([login.address])) ? [] : [shutOut(login.address)]),
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

function vpnFindings(vpn: string | undefined, shut: readonly PortRange[]): readonly KindFinding[] {
  if (shut.length === 0) return [];
  const message =
    `this would cut the engine's own access: its login comes by ${vpn}, a VPN that ends on the host, and nobody could reach what ` +
    `carries it (${portsText(shut)}) once both ends were silent for minutes, or at the next boot; accept that in "inbound"`;
  return [{ severity: 'error', message, pointer: '/management' }];
}
