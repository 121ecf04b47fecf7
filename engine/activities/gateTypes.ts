import type { Account } from '../policy/account.ts';
import type { Ahead } from './ahead.ts';

export interface Gate extends Ahead {
  readonly ready: boolean;
  /** Sentences: what is missing and who can give it. */
  readonly missing: readonly string[];
  readonly approvedBy: readonly string[];
  /** Whose approval begins it, with the trigger `approval`. Missing in gates of older engines: any that counts. */
  readonly starters?: readonly string[];
  /** What starts the apply, by the policy of the default branch. Undefined: nothing does, for it goes into another branch. */
  readonly trigger?: 'comment' | 'approval' | 'merge';
  /** Only change windows keep it shut: epoch ms, by GitHub's clock, at which they are open. */
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
  /** The plan was begun before, or somebody cancelled that it begins by itself: from now on somebody has to ask for it. */
  readonly onlyAsked?: boolean;
  /** The comment says how a run ended, and stands. */
  readonly keepsComment?: boolean;
}

/** What began a run: a comment, the press of a button by its delivery, or what the policy waits for. */
export type RunEvent =
  | { readonly kind: 'comment'; readonly id: number }
  | { readonly kind: 'button'; readonly delivery: string }
  | { readonly kind: 'approval' | 'merge' };

/** Something is not waited for, or not kept to: by a person, with a reason. */
export interface Override {
  readonly kind: 'override' | 'break-glass';
  readonly by: string;
  readonly reason: string;
}

/** What a merge queue is about to merge. */
export interface MergeGroup {
  readonly headSha: string;
  readonly baseSha: string;
  /** Of the branch that it goes into. */
  readonly baseRef: string;
}
