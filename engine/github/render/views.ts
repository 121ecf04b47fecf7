import type { DriftedItem } from '../../drift/resources.ts';
import type { Finding, HostPlan, Plan } from '../../plan/step.ts';
import type { SpecError } from '../../spec/manifest.ts';
import type { Beside } from './remarks.ts';

/** A check's output or the comment's main part. `title` is plain text on one line; `body` is markdown. */
export interface Rendered {
  readonly title: string;
  readonly body: string;
}

/** The commits that a plan is for. */
export interface PlannedCommits {
  readonly headSha: string;
  readonly baseSha: string;
}

/** What a person needs to name a plan: shown shortened, given whole. */
export interface PlanName extends PlannedCommits {
  readonly digest: string;
  /** Where the whole plan can be read, when the engine has a public URL. */
  readonly url?: string;
}

/** Shown when a server is met for the first time. Sizes in MiB. */
export interface HostFacts {
  readonly host: string;
  readonly os: string;
  readonly init: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly diskMib: number;
}

export interface ValidateView {
  readonly kind: 'validate';
  readonly errors: readonly SpecError[];
  /** What is odd in what the change brings, and forbids nothing. */
  readonly warnings?: readonly SpecError[];
  readonly documents: number;
  readonly hosts: number;
  /** Paths of the repository that were not read; `why` completes "it is ...". */
  readonly leftOut?: readonly { readonly path: string; readonly why: string }[];
  /** From another repository: nothing follows. */
  readonly fork?: boolean;
}

export interface PlanView {
  readonly kind: 'plan';
  readonly plan: Plan;
  readonly name: PlanName;
  /** What is still missing, in words (`one approving review by ops (not the author)`). Empty: ready. */
  readonly waiting: readonly string[];
  /** What to do or what happens then: a command, shown as code, or words. */
  readonly next: { readonly command?: string; readonly words?: string };
  readonly firstSeen: readonly HostFacts[];
  /** Hosts that could not be read, with the reason. Such a plan cannot be applied. */
  readonly unreachable: readonly HostProblem[];
  /** What the rules of the policy ask for, and how that stands. */
  readonly asks?: readonly RuleAsk[];
  readonly remarks?: readonly string[];
}

export interface RuleAsk {
  readonly rule: string | undefined;
  readonly asks: string;
  /** Undefined: it is given. */
  readonly missing: string | undefined;
}

export interface HostProblem {
  readonly host: string;
  readonly message: string;
}

/** An issue, not a check: servers that are not as the default branch says. */
export interface DriftView {
  readonly kind: 'drift';
  readonly document: string;
  readonly branch: string;
  readonly commit: string;
  readonly items: readonly DriftedItem[];
  /** They came up by themselves, such as new updates: nobody has changed the servers. */
  readonly ongoing?: true;
  /** Only of a document that asks for corrections. */
  readonly correction?: CorrectionPlanView;
  /** Documents that differ as well, and have no issue yet. */
  readonly unopened?: number;
}

/** What is put back by itself now, and what is not. */
export interface CorrectionPlanView {
  readonly hosts: readonly string[];
  /** Why nothing is put back now: a sentence without its full stop. */
  readonly hindrance?: string;
  readonly left: readonly { readonly host: string; readonly summary: string; readonly because: string }[];
}

/** A comment on a drift issue: how a correction goes. */
export interface CorrectionView extends Beside {
  readonly kind: 'correction';
  readonly run: string;
  readonly document: string;
  /** It is work that the document declares: nothing is put back. */
  readonly declared?: true;
  readonly outcome:
    | { readonly kind: 'waiting'; readonly behind: string; readonly position: number }
    | {
        readonly kind: 'corrected';
        readonly at: number;
        readonly leftOut: readonly HostProblem[];
        readonly remaining: number;
      }
    | { readonly kind: 'dead'; readonly reason: string }
    /** `cancelled`: by a person, and so not tried again in this issue. */
    | { readonly kind: 'not-made'; readonly reason: string; readonly cancelled: boolean }
    | {
        readonly kind: 'rolled-back';
        readonly reason: string;
        /** Of the corrections that failed in this issue, counting this one; and how many may. */
        readonly failed: number;
        readonly most: number;
        readonly cancelled: boolean;
      }
    | {
        readonly kind: 'held';
        readonly reason: string;
        readonly remains: readonly string[];
        /** A person wants what it has put back to stay. */
        readonly kept: boolean;
      };
  /** What it was to put back, or has. */
  readonly changes: readonly { readonly host: string; readonly summary: string; readonly diff: string }[];
}

export interface NothingToDoView {
  readonly kind: 'nothing-to-do';
  /** Without a digest where there is no plan to look up: no server was asked. */
  readonly name: PlanName | PlannedCommits;
  /** Why: no document changed, or the servers are already so. */
  readonly reason: 'no-change' | 'already-so';
  readonly findings: HostPlan['findings'];
  readonly remarks?: readonly string[];
}

/** Another pull request holds servers that this one needs. */
export interface WaitingForLockView {
  readonly kind: 'waiting-for-lock';
  readonly holders: readonly LockHolder[];
  /** Its place in the queue of its servers, 1 = next; left out where it is too far back to be told. */
  readonly position?: number;
}

export interface LockHolder {
  /** None: it waits itself, before this one. */
  readonly hosts: readonly string[];
  /** `owner/name#number`, or the name of a schedule. */
  readonly holder: string;
  /** Epoch ms at which it took them. */
  readonly since?: number;
}

export type StepState = 'waiting' | 'running' | 'done' | 'failed' | 'undone';

export interface StepProgress {
  readonly summary: string;
  readonly state: StepState;
  readonly seconds?: number;
  /** A reload or restart that follows a change: shown, and counted with that change. */
  readonly follows?: true;
}

export interface HostProgress {
  readonly host: string;
  readonly steps: readonly StepProgress[];
}

export interface ApplyView extends Beside {
  readonly kind: 'apply';
  readonly state: 'running' | 'applied' | 'failed';
  readonly name: PlanName;
  readonly hosts: readonly HostProgress[];
  readonly seconds: number;
  readonly failure?: StepFailure;
  readonly merged?: MergedAs; // once it is merged
  /** Where the servers are changed in batches. */
  readonly rollout?: RolloutView;
  /** Servers that are not as the branch says: put back or skipped. */
  readonly leftOut?: readonly HostProblem[];
}

export interface RolloutView {
  readonly batches: readonly BatchView[];
  readonly failureBudget: number;
  readonly failed: readonly HostProblem[];
  readonly skipped: readonly string[];
}

export interface BatchView {
  /** Of the documents' order, as in the plan. */
  readonly wave: number;
  readonly hosts: readonly string[];
  readonly canary: boolean;
  readonly state: 'waiting' | 'changing' | 'proving' | 'pausing' | 'awaiting' | 'shut' | 'done';
  /** ISO time at which the pause ends, or the change window opens. */
  readonly until?: string;
  /** Servers that are waited for. */
  readonly awaited?: readonly string[];
  /** Why they are: no more servers than this may be unavailable. */
  readonly most?: number;
}

export type StoppedState = 'done' | 'part' | 'begun' | 'undone' | 'untouched';

/** A run that stopped in the middle: what is done, and who is to decide until then (ISO time). `dead`: nobody; `merged` all the same. */
export interface StoppedView {
  readonly kind: 'stopped';
  readonly state: 'asking' | 'kept' | 'dead';
  readonly reason: string;
  readonly until?: string;
  readonly hosts: readonly { readonly host: string; readonly state: StoppedState }[];
  readonly ways: HeldView['ways'];
  readonly merged?: { readonly revertPull: number | undefined };
}

export interface MergedAs {
  readonly sha: string;
  /** The merged tree is another one than the planned one: the base moved in the moment of the merge. */
  readonly differs: boolean;
}

export interface StepFailure {
  readonly host: string;
  /** The step's summary, or the probe. */
  readonly what: string;
  readonly message: string;
  /** The last lines of what the step printed. */
  readonly output: string;
}

export interface ProbeProgress {
  readonly host: string;
  /** `http://localhost/health` or `tcp localhost:81` */
  readonly probe: string;
  readonly state: 'waiting' | 'running' | 'passed' | 'failed';
  readonly seconds?: number;
  readonly detail?: string;
}

export interface VerifyView {
  readonly kind: 'verify';
  readonly state: 'running' | 'verified' | 'failed';
  readonly since?: 'rolled-back' | 'stopped'; // what became of the run afterwards
  readonly probes: readonly ProbeProgress[];
  /** What a fresh plan would still change. Verified means: nothing. */
  readonly remaining: readonly { readonly host: string; readonly summary: string }[];
  /** How things are now, as the servers say: counters, scores. */
  readonly readBack?: readonly Finding[];
}

export interface HostRollback {
  readonly host: string;
  readonly state: 'waiting' | 'running' | 'restored' | 'untouched' | 'not-restored';
  /** Items that are not as they were, in words. Only of `not-restored`. */
  readonly remaining: readonly string[];
  /** What the restore left or moved on purpose, in words of the host. */
  readonly remarks?: readonly string[];
}

export interface RollbackView {
  readonly kind: 'rollback';
  readonly state: 'running' | 'rolled-back';
  /** `reason`: a sentence without its full stop, such as that GitHub refused the merge, or who asked. */
  readonly cause: StepFailure | { readonly reason: string };
  readonly hosts: readonly HostRollback[];
  /** It was merged before; this pull request reverts it. Or it could not be opened, for this reason. */
  readonly revertPull?: number | { readonly refused: string };
}

/** The run keeps its locks until a person has looked. */
export interface HeldView {
  readonly kind: 'held';
  readonly reason: string;
  readonly hosts: readonly HostRollback[];
  /** Ways to go on: a command and what it does. */
  readonly ways: readonly { readonly command: string; readonly effect: string }[];
}

export type View =
  | ValidateView
  | PlanView
  | NothingToDoView
  | WaitingForLockView
  | ApplyView
  | VerifyView
  | RollbackView
  | HeldView
  | StoppedView
  | DriftView
  | CorrectionView;
