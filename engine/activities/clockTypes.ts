import type {
  AdoptAnswer,
  AdoptElsewhere,
  AdoptionReading,
  FleetPlan,
  IssueRequest,
  PullRef,
  RepositoryRef,
  RunRef,
  SiteAdoption,
} from './types.ts';

/** Where a default branch was when its servers were about to be read. */
export interface BranchTip {
  readonly branch: string;
  readonly commit: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface DriftReport {
  /** Differences that are known now, over all servers. */
  readonly items: number;
  /** Numbers of the issues that are open for them. */
  readonly issues: readonly number[];
  /** Servers that were not judged: out of reach, or a run was changing them. */
  readonly skipped: readonly string[];
  /** What is to be put back now; left out by older engines. */
  readonly corrections?: readonly PlannedCorrection[];
  /** Epoch ms at which a change window opens that a correction waits for. */
  readonly opensAt?: number;
}

/** A run that has no name yet. */
export type PlannedCorrection = Omit<RunRef, 'run'>;

/** What is done by the clock, or asked on an issue: for no pull request. */
export interface RepositoryActivities {
  /** Takes locks and places in the queue from runs whose workflow has ended without them, and shows what became of these. */
  endDeadRuns(): Promise<void>;
  /** All repositories that the App covers now and may write; they are kept in the store, and pull requests of lost ones are told. */
  knownRepositories(): Promise<readonly RepositoryRef[]>;
  /** Makes a drift schedule for each of these, and removes those of others. */
  scheduleDrift(repositories: readonly RepositoryRef[]): Promise<void>;
  /** Asks GitHub for webhooks that the engine did not take; how many. */
  redeliverMissed(): Promise<number>;
  /** Tells the workflows of pull requests whose webhooks never came; their numbers. Shows how runs ended where that could not be shown. */
  sweepPulls(repository: RepositoryRef): Promise<readonly number[]>;
  defaultBranchTip(repository: RepositoryRef): Promise<BranchTip>;
  /** May this person ask for this on this issue? Undefined when yes, else the sentence that says why not. */
  refusalOnIssue(issue: PullRef, request: IssueRequest): Promise<string | undefined>;
  /**
   * Opens or renews the pull request that changes the YAML to what is on the servers. `bySites`: servers that only workers of their
   * sites reach can be read next; left out by older engines.
   */
  adoptDrift(issue: PullRef, request: IssueRequest, bySites?: true): Promise<AdoptAnswer | AdoptElsewhere>;
  /** The same, with what workers of sites have found. */
  adoptWithSites(
    issue: PullRef,
    request: IssueRequest,
    reading: AdoptionReading,
    parts: readonly SiteAdoption[],
  ): Promise<AdoptAnswer>;
  /** Stops the correction of this issue at its next safe point, to be rolled back or kept. Returns the answer. */
  cancelCorrection(issue: PullRef, request: IssueRequest, keep: boolean): Promise<string>;
  reportDrift(repository: RepositoryRef, tip: BranchTip, plan: FleetPlan): Promise<DriftReport>;
}
