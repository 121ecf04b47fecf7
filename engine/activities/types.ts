/**
 * What workflows may call, as types only: workflow code imports nothing else of the engine. Arguments and results are
 * small JSON: ids, digests and sentences; plans, diffs and outputs stay in the store.
 */

import type { Account } from '../policy/account.ts';

export interface RepositoryRef {
  readonly owner: string;
  readonly name: string;
  readonly installationId: number;
}

export interface PullRef {
  readonly repository: RepositoryRef;
  readonly number: number;
}

/** A pull request as GitHub has it now. */
export interface PullSnapshot {
  readonly headSha: string;
  readonly headRef: string;
  /** Tip of the base branch, not the commit that the branch was made from. */
  readonly baseSha: string;
  readonly baseRef: string;
  readonly author: string;
  readonly draft: boolean;
  readonly fork: boolean;
  readonly state: 'open' | 'closed' | 'merged';
  readonly mergeSha: string | undefined;
  readonly mergedBy?: string;
}

/** The merge of a head into a base: what is planned. */
export interface Revision {
  readonly headSha: string;
  readonly baseSha: string;
}

export type ValidateOutcome =
  | { readonly kind: 'valid'; readonly treeSha: string; readonly hosts: readonly string[] }
  | { readonly kind: 'invalid'; readonly errors: number }
  | { readonly kind: 'conflict' };

export type PlanOutcome =
  | { readonly kind: 'planned'; readonly plan: PlanRef }
  | { readonly kind: 'nothing-to-do' }
  /** A host could not be read, or a finding forbids the plan. The check says which. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Enough of a plan to decide and to run; the plan itself is in the store by its digest. */
export interface PlanRef extends Revision {
  readonly digest: string;
  readonly hosts: readonly PlannedHost[];
  readonly waves: readonly number[];
  /** ISO time at which the check with this digest was completed. Approvals before it do not count. */
  readonly shownAt: string;
}

export interface PlannedHost {
  readonly name: string;
  /** What locks are taken on: address, port and host key. */
  readonly identity: string;
  readonly site: string;
  readonly digest: string;
  readonly steps: number;
  readonly waves: readonly number[];
}

export interface Gate {
  readonly ready: boolean;
  /** Sentences: what is missing and who can give it. */
  readonly missing: readonly string[];
  readonly approvedBy: readonly string[];
  /** What starts the apply, by the policy of the default branch. */
  readonly trigger?: 'comment' | 'approval' | 'merge';
  /** Only change windows keep it shut: epoch ms at which they are open. */
  readonly opensAt?: number;
  readonly waitsForChecks?: boolean;
  /** What would be missing, had the override not taken it away. */
  readonly lifted?: readonly string[];
}

/** What the workflow knows beside GitHub when a gate is judged. */
export interface GateContext {
  /** Who was seen to push to the pull request. */
  readonly pushers?: readonly Account[];
  /** Head of a fork that somebody with write access named. */
  readonly vouched?: string;
  readonly override?: Override;
  /** The pull request is merged already, as the policy wants it. */
  readonly merged?: boolean;
}

/** Something is not waited for, or not kept to: by a person, with a reason. */
export interface Override {
  readonly kind: 'override' | 'break-glass';
  readonly by: string;
  readonly reason: string;
}

export type CommandName = 'plan' | 'apply' | 'rollback' | 'status' | 'unlock' | 'help';

/** Somebody asked for something: a comment, or a button of a check. */
export interface Request {
  readonly command: CommandName;
  readonly actor: string;
  /** ISO time of the comment or the click. */
  readonly at: string;
  readonly commentId: number | undefined;
  /** For a button: GitHub's id of the delivery, the only thing that tells one press from the same one told again. */
  readonly deliveryId?: string;
  /** For a button: the head that its check stands on. For a comment: the one that it names. */
  readonly headSha: string | undefined;
  readonly override?: Omit<Override, 'by'>;
}

export type LockOutcome =
  | { readonly kind: 'granted'; readonly fence: number }
  | { readonly kind: 'waiting'; readonly position: number; readonly behind: string }
  /** A dead run left the host with open receipts. */
  | { readonly kind: 'needs-recovery'; readonly runs: readonly RecoverableRun[] };

export interface RecoverableRun {
  readonly run: string;
  readonly hosts: readonly string[];
}

export interface RunRef {
  /** Also the name of the run on its hosts. */
  readonly run: string;
  readonly pull: PullRef;
  readonly plan: PlanRef;
  readonly actor: string;
  /** What the gate was judged with; it is judged again just before the first effect. */
  readonly context?: GateContext;
  /** The change is merged already; what is applied is this commit. */
  readonly mergeSha?: string;
}

export type ConfirmOutcome =
  | { readonly kind: 'unchanged' }
  /** The approval does not cover what would run now; the sentence says what changed. */
  | { readonly kind: 'changed'; readonly reason: string };

export type HostOutcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' };

export type VerifyOutcome =
  | { readonly kind: 'verified' }
  | { readonly kind: 'failed'; readonly reason: string };

export type UndoOutcome =
  /** `remarks`: what was left or moved on purpose. */
  | { readonly kind: 'rolled-back'; readonly remarks?: readonly string[] }
  /** What remains, for a person. */
  | { readonly kind: 'held'; readonly reason: string }
  /** A later run touched the same item, so nothing was done. */
  | { readonly kind: 'refused'; readonly reason: string };

export type MergeOutcome =
  | { readonly kind: 'merged'; readonly mergeSha: string; readonly differs: boolean }
  | { readonly kind: 'refused'; readonly reason: string };

export type RunEnd = 'applied' | 'rolled-back' | 'held' | 'stale' | 'cancelled';

/** Where a run is, as its checks show it. */
export type RunPhase =
  | { readonly kind: 'waiting'; readonly position: number; readonly behind: string }
  | { readonly kind: 'recovering' }
  | { readonly kind: 'comparing' }
  | { readonly kind: 'applying' }
  | { readonly kind: 'verifying' }
  | { readonly kind: 'merging' }
  | { readonly kind: 'rolling-back'; readonly reason: string }
  | { readonly kind: 'applied'; readonly mergeSha: string; readonly differs: boolean }
  /** `revert`: number of the pull request that takes a change back which was merged before it was applied. */
  | { readonly kind: 'rolled-back'; readonly reason: string; readonly revert?: number }
  | {
      readonly kind: 'held';
      readonly reason: string;
      readonly remains: readonly string[];
      readonly revert?: number;
    }
  | { readonly kind: 'stale'; readonly reason: string; readonly revert?: number };

export interface PullActivities {
  readPull(pull: PullRef): Promise<PullSnapshot>;
  validatePull(pull: PullRef, revision: Revision): Promise<ValidateOutcome>;
  /** `previous`: the plan that was shown before, so that an equal digest keeps its time and its approvals. */
  planPull(pull: PullRef, revision: Revision, previous: PlanRef | undefined): Promise<PlanOutcome>;
  /** Reads reviews and permissions, shows in the plan check and the comment what is missing. */
  gatePull(pull: PullRef, plan: PlanRef, context?: GateContext): Promise<Gate>;
  /** Tells on the pull request, for good, in the audit log and to whom the policy names, what was taken away and why. */
  recordOverride(pull: PullRef, plan: PlanRef, request: Request, lifted: readonly string[]): Promise<void>;
  /** Validates what a merge queue would merge, and answers the checks of its commit. */
  validateGroup(repository: RepositoryRef, group: MergeGroup): Promise<void>;
  /** May this person ask for this? Undefined when yes, else the sentence that says why not. */
  refusal(pull: PullRef, request: Request): Promise<string | undefined>;
  /** Puts the eyes reaction under a comment, at once. */
  acknowledge(pull: PullRef, request: Request): Promise<void>;
  answer(pull: PullRef, request: Request, text: string): Promise<void>;
  /** The status of the pull request's runs and locks, for `/doaas status`. */
  describeStatus(pull: PullRef): Promise<string>;
  /** Frees locks that no living run holds. Returns the sentence for the person who asked. */
  unlock(pull: PullRef, request: Request): Promise<string>;
  /** The newest applied run of a pull request, for a later rollback. */
  appliedRun(pull: PullRef): Promise<RunRef | undefined>;
  /** Open pull requests on a base branch, for planning again when it moves. */
  openPullsOn(repository: RepositoryRef, baseRef: string): Promise<readonly number[]>;
  signalBaseMoved(repository: RepositoryRef, numbers: readonly number[]): Promise<void>;
}

/** What a merge queue is about to merge. */
export interface MergeGroup extends Revision {
  /** Of the branch that it goes into. */
  readonly baseRef: string;
}

export interface DeploymentActivities {
  startRun(run: RunRef, kind: 'apply' | 'rollback'): Promise<void>;
  acquireLocks(run: RunRef, workflowId: string): Promise<LockOutcome>;
  /** Also tells the next in the queue. */
  releaseLocks(run: string): Promise<void>;
  recoverRun(run: RunRef, recover: RecoverableRun): Promise<UndoOutcome>;
  /** Is the pull request still mergeable at this head and base, and is the plan still the same on fresh facts? */
  confirmPlan(run: RunRef): Promise<ConfirmOutcome>;
  applyHost(run: RunRef, host: string, wave: number): Promise<HostOutcome>;
  cancelHost(run: RunRef, host: string, wave: number): Promise<void>;
  verifyHosts(run: RunRef): Promise<VerifyOutcome>;
  undoHost(run: RunRef, host: string, waves: readonly number[], late: boolean): Promise<UndoOutcome>;
  showRun(run: RunRef, phase: RunPhase): Promise<void>;
  mergePull(run: RunRef): Promise<MergeOutcome>;
  /** Opens the pull request that reverts a merged one; returns its number. Idempotent. */
  openRevert(run: RunRef): Promise<number>;
  endRun(run: RunRef, end: RunEnd, mergeSha: string | undefined): Promise<void>;
}

/** A commit of a repository, all of whose hosts are planned. */
export interface FleetRevision {
  readonly repository: RepositoryRef;
  readonly commit: string;
}

export interface FleetPlan {
  /** Of the plan in the store. */
  readonly digest: string;
  readonly hosts: number;
  readonly steps: number;
  /** Sentences: hosts that could not be read, and findings that forbid the plan. */
  readonly problems: readonly string[];
}

/** The plan of some hosts, in the order of the commit. */
export interface FleetPart {
  readonly plan: FleetPlan;
  /** Hosts of the commit. */
  readonly total: number;
  /** Where the next part begins; undefined when this was the last. */
  readonly next: number | undefined;
}

export interface FleetActivities {
  /** Reads and plans the hosts from the `start`th on, as many as one activity takes. */
  planFleet(revision: FleetRevision, start: number): Promise<FleetPart>;
  /** Stores one plan of several parts. */
  joinFleet(revision: FleetRevision, parts: readonly FleetPlan[]): Promise<FleetPlan>;
}
