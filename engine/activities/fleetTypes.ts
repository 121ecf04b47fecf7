/** The part of the contract of types.ts that is about whole commits. */
import type { SecurityActivities } from './securityTypes.ts';
import type { RepositoryRef } from './types.ts';

/** A commit of a repository, all of whose hosts are planned. */
export interface FleetRevision {
  readonly repository: RepositoryRef;
  readonly commit: string;
  /** Nobody asks for a change: whatever differs is drift. */
  readonly drift?: true;
}

export interface FleetPlan {
  /** Of the plan in the store. */
  readonly digest: string;
  readonly hosts: number;
  readonly steps: number;
  /** Sentences, one of each host at most: why it could not be read, or the findings that forbid its plan. */
  readonly problems: readonly string[];
  /** In the store, a list for each part: who changed what differs at sites. Left out where nothing is told. */
  readonly traces?: readonly (readonly string[])[];
}

/** The plan of some hosts, in the order of the commit. */
export interface FleetPart {
  readonly plan: FleetPlan;
  /** Hosts of the commit. */
  readonly total: number;
  /** Where the next part begins; undefined when this was the last. */
  readonly next: number | undefined;
  /** Sites of the commit that only workers of their own reach; in the first part of those that the engine reaches. */
  readonly elsewhere?: readonly string[];
}

export interface FleetActivities extends SecurityActivities {
  /** Reads and plans hosts from the `start`th on, as many as one activity takes: of one site, or those that the engine reaches. */
  planFleet(revision: FleetRevision, start: number, site?: string): Promise<FleetPart>;
  /** Stores one plan of several parts. `unserved`: sites of which there is none, as no worker serves them. */
  joinFleet(
    revision: FleetRevision,
    parts: readonly FleetPlan[],
    unserved?: readonly string[],
  ): Promise<FleetPlan>;
}
