/**
 * What workflows may call, as types only: workflow code imports nothing else of the engine. Arguments and results are
 * small JSON: ids, digests and sentences; plans, diffs and outputs stay in the store.
 */

import type { Gate, GateContext, MergeGroup, Override, RunEvent } from './gateTypes.ts';
import type { AdoptAnswer, Asked, CommandName } from './issueTypes.ts';
import type {
  ConfirmOutcome,
  CorrectionOf,
  HostOutcome,
  MergeOutcome,
  UndoOutcome,
  VerifyOutcome,
} from './outcomeTypes.ts';
import type { NoticeChange } from './pullEvent.ts';
import type { PullSnapshot } from './pullSnapshot.ts';
import type { LateRollback, Reverted, RollbackWaits } from './rollbackTypes.ts';
import type {
  HostFailure,
  RolloutActivities,
  RolloutProgress,
  RolloutRef,
  VerifyScope,
} from './rolloutTypes.ts';
import type { Overtaken } from './show.ts';
import type { RunStart, SitePart } from './siteTypes.ts';

export type { PolicyWindow } from '../spec/types.generated.ts';
export type { BranchTip, DriftReport, PlannedCorrection, RepositoryActivities } from './clockTypes.ts';
export type { FleetActivities, FleetPart, FleetPlan, FleetRevision } from './fleetTypes.ts';
export type { Gate, GateContext, MergeGroup, Override, RunEvent } from './gateTypes.ts';
export type * from './issueTypes.ts';
export type {
  ConfirmOutcome,
  HostOutcome,
  MergeOutcome,
  UndoOutcome,
  VerifyOutcome,
} from './outcomeTypes.ts';
export type { NoticeChange, PullEvent } from './pullEvent.ts';
export type { PullSnapshot } from './pullSnapshot.ts';
export type { LateRollback, Reverted, RollbackWaits } from './rollbackTypes.ts';
export type {
  HostFailure,
  RolloutActivities,
  RolloutProgress,
  RolloutRef,
  RolloutStage,
  StopHeard,
  VerifyScope,
  WindowShut,
} from './rolloutTypes.ts';
export type * from './securityTypes.ts';
export type { RunStart, SiteActivities, SitePart, SiteReading } from './siteTypes.ts';

export interface RepositoryRef {
  readonly owner: string;
  readonly name: string;
  readonly installationId: number;
  /** GitHub's own, which a rename and a transfer leave as it is. Missing in workflows of older engines. */
  readonly id?: number;
  /** `owner/name` under which its runs, items and pull requests are kept; without it, the present name. */
  readonly knownAs?: string;
}

export interface PullRef {
  readonly repository: RepositoryRef;
  readonly number: number;
}

/** The merge of a head into a base: what is planned. */
export interface Revision {
  readonly headSha: string;
  readonly baseSha: string;
}

export type ValidateOutcome =
  | {
      readonly kind: 'valid';
      readonly treeSha: string;
      readonly hosts: readonly string[];
      /** Sites of these hosts that only workers of their own reach. */
      readonly elsewhere?: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly errors: number }
  | { readonly kind: 'conflict' };

export type PlanOutcome =
  | { readonly kind: 'planned'; readonly plan: PlanRef }
  | { readonly kind: 'nothing-to-do' }
  /** A host could not be read, or a finding forbids the plan. The check says which. `away`: only because hosts did not answer. */
  | { readonly kind: 'failed'; readonly reason: string; readonly away?: true };

/** Enough of a plan to decide and to run; the plan itself is in the store by its digest. */
export interface PlanRef extends Revision {
  readonly digest: string;
  readonly hosts: readonly PlannedHost[];
  readonly waves: readonly number[];
  /** Left out of plans of older engines, whose hosts of a wave are changed together. */
  readonly rollout?: RolloutRef;
  /** Hosts that could not be read and are left out, as their rollout says. */
  readonly skipped?: readonly string[];
  /** ISO time at which the check with this digest was completed. Approvals before it do not count. */
  readonly shownAt: string;
  /** Another plan of this head was shown before. */
  readonly replaces?: true;
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

/** Somebody asked for something: a comment, or a button of a check. */
export interface Request {
  readonly command: CommandName;
  /** The word behind the command, where one was given: of `unlock` the one server that is meant. */
  readonly argument?: string | undefined;
  readonly actor: string;
  /** ISO time of the comment or the click. */
  readonly at: string;
  readonly commentId: number | undefined;
  /** For a button: GitHub's id of the delivery, the only thing that tells one press from the same one told again. */
  readonly deliveryId?: string;
  /** For a button: the head that its check stands on. For a comment: the one that it names. */
  readonly headSha: string | undefined;
  readonly override?: Omit<Override, 'by'>;
  /** Nobody asked in words: the actor merged it on GitHub. */
  readonly merged?: true;
}

/** What is said to somebody who asked: our own Markdown, or data that holds words of hosts and of GitHub. */
export type Answer =
  | string
  | { readonly kind: 'failed'; readonly command: Asked['command']; readonly reason: string }
  | AdoptAnswer
  /** A run ended before it changed anything, and the newest plan needs a look. */
  | { readonly kind: 'not-applied'; readonly reason: string }
  /** `why`: our own Markdown. The branch says what the servers are not, and no pull request that takes it back could be opened. */
  | { readonly kind: 'not-reverted'; readonly why: string; readonly reason: string }
  | { readonly kind: 'late-rollback'; readonly run: string; readonly result: LateRollback }
  | RollbackWaits;

export type LockOutcome =
  | { readonly kind: 'granted'; readonly fence: number }
  /** `behind`: names, comma and space between them; empty where too many go before it. */
  | { readonly kind: 'waiting'; readonly position: number; readonly behind: string }
  /** A dead run left the host with open receipts. */
  | { readonly kind: 'needs-recovery'; readonly runs: readonly RecoverableRun[] }
  /** As many wait as may; it has no place among them. */
  | { readonly kind: 'full'; readonly reason: string };

export interface RecoverableRun {
  readonly run: string;
  readonly hosts: readonly string[];
  /** Whose workers reach these hosts, where the engine does not. */
  readonly site?: string;
}

export interface RunRef {
  /** Also the name of the run on its hosts. */
  readonly run: string;
  readonly pull: PullRef;
  readonly plan: PlanRef;
  readonly actor: string;
  /** Left out by older engines. */
  readonly event?: RunEvent;
  /** What the gate was judged with; it is judged again just before the first effect. */
  readonly context?: GateContext;
  /** The change is merged already; what is applied is this commit. */
  readonly mergeSha?: string;
  /** Sites whose hosts only workers of their own reach. */
  readonly elsewhere?: readonly string[];
  /** No pull request asks for it: puts back what was changed by hand. `pull.number` is the drift issue, head and base the same commit. */
  readonly correction?: CorrectionOf;
  /** The applied run that this one takes back; left out by older engines. */
  readonly undoes?: string;
}

export type RunEnd = 'applied' | 'rolled-back' | 'held' | 'stale' | 'cancelled';

/** Where a run is, as its checks show it. */
export type RunPhase =
  | { readonly kind: 'waiting'; readonly position: number; readonly behind: string }
  | { readonly kind: 'recovering' }
  | { readonly kind: 'comparing' }
  | { readonly kind: 'applying'; readonly rollout?: RolloutProgress }
  | { readonly kind: 'verifying' }
  /** Stopped by a person or by the budget; waits for the answer what becomes of what is done. */
  | { readonly kind: 'asking'; readonly reason: string; readonly until: string | undefined }
  | { readonly kind: 'merging' }
  | { readonly kind: 'rolling-back'; readonly reason: string }
  | {
      readonly kind: 'applied';
      readonly mergeSha: string;
      readonly differs: boolean;
      /** Hosts that are not as the branch says: failed within the budget and put back, or skipped. */
      readonly leftOut?: readonly HostFailure[];
    }
  | { readonly kind: 'rolled-back'; readonly reason: string; readonly revert?: Reverted }
  | {
      readonly kind: 'held';
      readonly reason: string;
      readonly remains: readonly string[];
      /** A person wants what was done to stay. */
      readonly kept?: boolean;
      readonly revert?: Reverted;
    }
  /** `final`: it is not begun again by itself, though the plan may still hold. */
  | { readonly kind: 'stale'; readonly reason: string; readonly revert?: Reverted; readonly final?: true }
  /** `merged`: it cannot be applied anew. */
  | {
      readonly kind: 'needs-recovery';
      readonly reason: string;
      readonly merged?: true;
      readonly revert?: number;
    };

export interface PullActivities {
  readPull(pull: PullRef): Promise<PullSnapshot>;
  /** It could not be looked at: the next sweep that reaches its repository tells it to look. `open`: it is there at all. */
  forgetPull(pull: PullRef, open: boolean): Promise<void>;
  /** `fork`: more than this is not done for it, which the check says. */
  validatePull(pull: PullRef, revision: Revision, fork?: boolean): Promise<ValidateOutcome>;
  /** `previous`: the plan that was shown before, so that an equal digest keeps its time and its approvals. */
  planPull(
    pull: PullRef,
    revision: Revision,
    previous: PlanRef | undefined,
    parts?: readonly SitePart[],
  ): Promise<PlanOutcome>;
  /** Ends the plan check of a head that nobody plans any more. */
  closeOvertaken(pull: PullRef, headSha: string, by?: Overtaken): Promise<void>;
  /** Reads reviews and permissions, shows in the plan check and the comment what is missing. */
  gatePull(pull: PullRef, plan: PlanRef, context?: GateContext): Promise<Gate>;
  /** Tells on the pull request, for good, in the audit log and to whom the policy names, what was taken away and why. */
  restoreNotices(pull: PullRef, change: NoticeChange): Promise<void>;
  recordOverride(pull: PullRef, plan: PlanRef, request: Request, lifted: readonly string[]): Promise<void>;
  /** Opens the revert of what was merged without a plan, where the policy wants that. `before`: as it was seen while it was open. Returns what is to be said. */
  revertUnplanned(pull: PullRef, before: Pick<Revision, 'baseSha'> | undefined): Promise<string | undefined>;
  /** Validates what a merge queue would merge, and answers the checks of its commit. */
  validateGroup(repository: RepositoryRef, group: MergeGroup): Promise<void>;
  /** May this person ask for this? Undefined when yes, else the sentence that says why not. */
  refusal(pull: PullRef, request: Request): Promise<string | undefined>;
  /** Puts the eyes reaction under a comment, at once. */
  acknowledge(pull: PullRef, request: Pick<Request, 'actor' | 'commentId'>): Promise<void>;
  answer(pull: PullRef, request: Asked & Pick<Request, 'actor'>, text: Answer): Promise<void>;
  /** The status of the pull request's runs and locks, for `/doaas status`. */
  describeStatus(pull: PullRef, place?: 'issue'): Promise<string>;
  /** Frees locks that no living run holds. Returns the sentence for the person who asked. */
  unlock(pull: PullRef, request: Pick<Request, 'actor' | 'argument'>, place?: 'issue'): Promise<string>;
  /** Whether a workflow has not ended yet. */
  isRunning(workflowId: string): Promise<boolean>;
  /** The newest applied run of a pull request, for a later rollback. */
  appliedRun(pull: PullRef): Promise<RunRef | undefined>;
  /** Open pull requests on a base branch, for planning again when it moves. */
  openPullsOn(repository: RepositoryRef, baseRef: string): Promise<readonly number[]>;
  /** The servers of an open pull request are others than when it was planned. */
  planAgain(pull: PullRef): Promise<void>;
  signalBaseMoved(repository: RepositoryRef, numbers: readonly number[]): Promise<void>;
}

export interface DeploymentActivities extends RolloutActivities {
  /** Undefined: the engine reaches all of its hosts. */
  startRun(run: RunRef, kind: 'apply' | 'rollback' | 'correction'): Promise<RunStart | undefined>;
  acquireLocks(run: RunRef, workflowId: string): Promise<LockOutcome>;
  /** Also tells the next in the queue. */
  releaseLocks(run: string): Promise<void>;
  recoverRun(run: RunRef, recover: RecoverableRun): Promise<UndoOutcome>;
  /** Is the pull request still mergeable at this head and base (may the correction still be made), and is the plan still the same on fresh facts? */
  confirmPlan(run: RunRef, parts?: readonly SitePart[], here?: readonly string[]): Promise<ConfirmOutcome>;
  applyHost(run: RunRef, host: string, wave: number): Promise<HostOutcome>;
  cancelHost(run: RunRef, host: string, wave: number): Promise<void>;
  /** All hosts of the change that are to be as wanted; or, between two batches, those of the scope. `site`: its only. */
  verifyHosts(
    run: RunRef,
    leftOut?: readonly string[],
    scope?: VerifyScope,
    site?: string,
  ): Promise<VerifyOutcome>;
  undoHost(
    run: RunRef,
    host: string,
    waves: readonly number[],
    late: boolean,
    /** The run that has locked the host; default `run` itself. */
    holder?: string,
  ): Promise<UndoOutcome>;
  showRun(run: RunRef, phase: RunPhase): Promise<void>;
  mergePull(run: RunRef): Promise<MergeOutcome>;
  /** Opens the pull request that reverts a merged one; returns its number. Idempotent. */
  openRevert(run: RunRef): Promise<number>;
  endRun(run: RunRef, end: RunEnd, mergeSha: string | undefined): Promise<void>;
}
