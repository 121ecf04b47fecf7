import type { Payload } from '../../spec/configuration.ts';
import type { Probe } from '../kind.ts';

/** A Firewall's spec for ONE host: services, sets and selectors of servers are replaced by ports and addresses. */
export interface ResolvedFirewall {
  readonly desired: DesiredFirewall;
  /** The ruleset file of the host: nft(8) commands that replace our table as a whole. */
  readonly script: Payload;
  readonly probes: readonly Probe[];
  /** For people: whose the addresses are. Left out by engines before. */
  readonly servers?: NamedServers;
}

/** Addresses of the servers that selectors mean, by name. */
export type NamedServers = Readonly<Record<string, readonly string[]>>;

/** What the host lets pass. It is also kept on the host, so that the next plan can tell what changes. JSON only. */
export interface DesiredFirewall {
  readonly management: Management;
  readonly inbound: Rules;
  readonly outbound: Filter;
  /** Left out: what the host forwards is none of our business. */
  readonly forward?: Filter;
  readonly portForwards: Readonly<Record<string, PortForward>>;
  readonly masquerade: Readonly<Record<string, Masquerade>>;
  readonly logDropped: boolean;
}

/** How the engine gets to the host, and through it to others; always open. */
export interface Management {
  readonly port: number;
  readonly from: Peers;
  readonly jumps: readonly { readonly address: string; readonly port: number }[];
}

export interface Filter {
  readonly default: 'accept' | 'drop';
  readonly rules: Rules;
}

export type Rules = Readonly<Record<string, Rule>>;

/** Addresses as CIDR blocks, canonical, sorted and without overlaps; null: anybody. */
export type Peers = readonly string[] | null;

/**
 * The order of rules means nothing: a packet passes when a rule accepts it, no rule denies it, and no rule that it matches
 * is over its limit.
 */
export interface Rule {
  readonly action: 'accept' | 'drop' | 'reject';
  /** Empty: every protocol and port. */
  readonly ports: readonly PortRange[];
  readonly from: Peers;
  readonly to: Peers;
  /** Names of interfaces, `*` at the end for any ending; empty: all. */
  readonly inInterfaces: readonly string[];
  readonly outInterfaces: readonly string[];
  readonly rateLimit?: RateLimit;
  readonly log: boolean;
}

export type Protocol = 'tcp' | 'udp' | 'sctp' | 'esp' | 'ah' | 'gre' | 'vrrp';

/** Both ends count. A protocol without ports has all of them: 0 to 65535. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** New connections of each sender. */
export interface RateLimit {
  readonly packets: number;
  readonly per: 'second' | 'minute' | 'hour';
}

export interface PortForward {
  readonly ports: readonly PortRange[];
  readonly from: Peers;
  readonly inInterfaces: readonly string[];
  readonly address: string;
  readonly port: number;
}

export interface Masquerade {
  readonly from: readonly string[];
  readonly outInterfaces: readonly string[];
}
