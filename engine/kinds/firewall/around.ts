import type { FirewallState } from '../../facts/firewall.ts';
import type { KindFinding } from '../kind.ts';
import type { DesiredFirewall } from './spec.ts';
import { leaderOf, unreached, waitingOn } from './waiting.ts';

/** What on the host will not work as the document reads: other firewalls, forwarding that is off, services nobody reaches. */
export function aroundFindings(desired: DesiredFirewall, now: FirewallState): readonly KindFinding[] {
  return [
    ...now.others.map((unit) =>
      warning(
        `${unit} filters packets as well: what it drops stays out, whatever is accepted here; stop and disable it`,
      ),
    ),
    ...forwarding(desired, now),
    // Afterwards it is known, and would only be noise.
    ...(now.present ? [] : unreachable(desired, now)),
  ];
}

function forwarding(desired: DesiredFirewall, { forwards }: FirewallState): readonly KindFinding[] {
  const leads = Object.values(desired.portForwards).map(({ address }) => address);
  const covers = Object.values(desired.masquerade).flatMap(({ from }) => from);
  const all = [...leads, ...covers];
  const missing = [
    ...(all.some((one) => !one.includes(':')) && !forwards.ipv4 ? ['net.ipv4.ip_forward'] : []),
    ...(all.some((one) => one.includes(':')) && !forwards.ipv6 ? ['net.ipv6.conf.all.forwarding'] : []),
  ];
  return missing.map((key) =>
    warning(
      `portForwards and masquerade do nothing while ${key} is 0; set it to 1 in the sysctl of a Configuration`,
    ),
  );
}

function unreachable(desired: DesiredFirewall, now: FirewallState): readonly KindFinding[] {
  const waiting = waitingOn(now);
  const own = waiting.filter((one) => leaderOf(one) === undefined);
  return unreached(desired, own).map(({ program, protocol, port }) =>
    warning(
      `${program === '' ? 'something' : program} listens on ${protocol}/${port}, which nobody will reach any more`,
    ),
  );
}

function warning(message: string): KindFinding {
  return { severity: 'warning', message };
}
