import type { FirewallState } from '../../facts/firewall.ts';
import type { KindFinding } from '../kind.ts';
import type { DesiredFirewall } from './spec.ts';
import { portsText } from './texts.ts';
import { leaderOf, unreached, type Waiting, waitingOn } from './waiting.ts';

/** What on the host will not work as the document reads: other firewalls, forwarding that is off, services nobody reaches. */
export function aroundFindings(desired: DesiredFirewall, now: FirewallState): readonly KindFinding[] {
  return [
    ...now.others.map((unit) => warning(otherText(unit))),
    ...foreign(now).map((chain) =>
      warning(
        `a table of others (${chain}) drops what it does not accept itself, whatever is accepted here: look at it with ` +
          `"nft list ruleset" or iptables-save, and have it accept the same or take it away`,
      ),
    ),
    ...forwarding(desired, now),
    // Afterwards it is known, and would only be noise.
    ...(now.present ? [] : unreachable(desired, now)),
  ];
}

/** It is no service that could be stopped: it has loaded rules, which stay (systemd's "active (exited)"). */
const LOADER = 'netfilter-persistent.service';

function otherText(unit: string): string {
  return unit === LOADER
    ? `${unit} loads rules of iptables at every boot: what they drop stays out, whatever is accepted here`
    : `${unit} filters packets as well: what it drops stays out, whatever is accepted here; stop and disable it`;
}

/** Chains of units that are told already. */
const OWNED: Readonly<Record<string, RegExp>> = {
  'ufw.service': /^ip6? filter INPUT$/,
  'firewalld.service': /^inet firewalld |^ip6? filter INPUT$/,
};

function foreign({ closing, others }: FirewallState): readonly string[] {
  return closing.filter((chain) => !others.some((unit) => OWNED[unit]?.test(chain)));
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
  return [
    ...unreached(desired, own).map((one) =>
      warning(
        `${one.program === '' ? 'something' : one.program} listens on ${portText(one)}, which nobody will reach any more`,
      ),
    ),
    ...waiting.flatMap((one) => ledOn(desired, one)),
  ];
}

/** Before a rule of `inbound` sees them, packets to the ports of containers are led on and so meet `forward` alone. */
function ledOn({ forward }: DesiredFirewall, one: Waiting): readonly KindFinding[] {
  const leader = leaderOf(one);
  if (leader === undefined) return [];
  const leads = `${one.program} holds ${portText(one)}, which rules of ${leader} lead on to a container over IPv4`;
  return [
    forward?.default === 'drop'
      ? warning(`${leads}: of that only what "forward" accepts is let through any more`)
      : warning(
          `${leads}: it stays reachable, whatever "inbound" says; "forward: {default: drop}" closes it, with all else that passes through`,
        ),
  ];
}

function portText({ protocol, port }: Waiting): string {
  return `${protocol}/${port}`;
}

/** What the sentences about access leave out: they follow from the rules of `inbound`, which these ports never meet. */
export function keptByContainers(desired: DesiredFirewall, now: FirewallState): readonly string[] {
  if (desired.forward?.default === 'drop') return [];
  const ports = waitingOn(now)
    .filter((one) => leaderOf(one) !== undefined)
    .map(({ protocol, port }) => ({ protocol, first: port, last: port }));
  return ports.length === 0 ? [] : [`ports of containers stay as they are: ${portsText(ports)} over IPv4`];
}

function warning(message: string): KindFinding {
  return { severity: 'warning', message };
}
