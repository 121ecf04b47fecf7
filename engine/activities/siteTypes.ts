/** The part of the contract of types.ts that is about sites with workers of their own; see docs/many-workers.md. */
import type { AdoptionReading, PullRef, Revision, SiteAdoption } from './types.ts';

/** The servers of a revision that the workers of one site are to read and plan. */
export interface SiteReading {
  readonly pull: PullRef;
  readonly revision: Revision;
  readonly site: string;
  /** The run that has locked the hosts: they are shown the numbers of its locks. */
  readonly run?: string;
  /** A host that does not answer is waited for, as in a run. */
  readonly patient?: true;
  /** Hosts that are not changed any more. */
  readonly leftOut?: readonly string[];
}

export interface SitePart {
  readonly site: string;
  /** Of the plan of these servers, in the store. Left out: no worker serves the site. */
  readonly digest?: string;
  /** Servers that could not be read. */
  readonly problems: readonly HostProblem[];
}

export interface HostProblem {
  readonly host: string;
  readonly message: string;
  /** It did not answer at all. */
  readonly away: boolean;
}

/** What a run learns when it starts. */
export interface RunStart {
  /** Sites that only workers of their own reach. */
  readonly elsewhere?: readonly string[];
  /** Why it is to change nothing, and not to wait for its servers. */
  readonly refused?: string;
}

export interface SiteActivities {
  /** Runs on a worker of the site. */
  readSite(reading: SiteReading): Promise<SitePart>;
  /** The same. */
  readAdoption(reading: AdoptionReading, site: string): Promise<SiteAdoption>;
  /** Whether a worker of the site has asked for work of late. */
  isServed(site: string): Promise<boolean>;
}
