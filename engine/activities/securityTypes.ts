/** The part of the contract of types.ts that is about the security of servers. */
import type { BranchTip } from './clockTypes.ts';
import type { Asked } from './issueTypes.ts';
import type { PullRef, RepositoryRef } from './types.ts';

/** A commit whose servers are read for the security report. */
export interface SecurityRevision {
  readonly repository: RepositoryRef;
  readonly commit: string;
  /** When it was asked for, epoch ms: names the reading. */
  readonly at: number;
  /** Nobody asked in words: a repository without documents about security is left alone. */
  readonly byClock?: true;
}

/** Some servers of the commit have been read; what was read is in the store. */
export interface SecurityPart {
  /** Servers of the commit that are read here: 0 also where the repository is left alone. */
  readonly total: number;
  /** Where the next part begins; undefined when this was the last. */
  readonly next?: number;
  /** Sites that only workers of their own reach; in the first part of those that the engine reaches. */
  readonly elsewhere?: readonly string[];
}

/** Who asked for the report, and where the answer goes. */
export interface SecurityAsked {
  readonly pull: PullRef;
  readonly request: Asked;
}

export interface SecurityPublished {
  /** Things to mend. */
  readonly findings: number;
  /** To GitHub's code scanning. */
  readonly uploaded: boolean;
}

export interface SecurityActivities {
  /** Reads servers from the `start`th on, as many as one activity takes: of one site, or those that the engine reaches. */
  readSecurity(revision: SecurityRevision, start: number, site?: string): Promise<SecurityPart>;
  /** Makes one report of what was read, answers whoever asked, and uploads it for code scanning. */
  publishSecurity(
    repository: RepositoryRef,
    tip: BranchTip,
    asked?: SecurityAsked,
  ): Promise<SecurityPublished>;
}
