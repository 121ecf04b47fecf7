import type { Repo } from './client.ts';

/** Which repository, and through which installation it is reached. */
export interface EventOrigin {
  readonly repo: Repo;
  /** GitHub's own; missing only in what an older engine has stored. */
  readonly repositoryId?: number;
  /** Absent for a webhook of a repository instead of the App's; then `installationOf` finds it. */
  readonly installationId: number | undefined;
}

export interface Sender {
  readonly login: string;
  readonly id?: number;
}

interface OfPull extends EventOrigin {
  readonly number: number;
}

export type PullAction =
  | 'opened'
  | 'reopened'
  | 'synchronize'
  | 'edited'
  | 'ready-for-review'
  | 'converted-to-draft';

export interface PullRequestChanged extends OfPull {
  readonly kind: 'pull-request-changed';
  readonly action: PullAction;
  readonly headSha: string;
  readonly headRef: string;
  readonly baseRef: string;
  /** As GitHub knew it when it sent this; the base branch may have moved since. */
  readonly baseSha: string;
  readonly fork: boolean;
  readonly author: string;
  readonly draft: boolean;
  readonly state: 'open' | 'closed';
  /** Who did it. */
  readonly sender?: Sender;
  /** Of the head; missing where that repository was deleted. */
  readonly headRepositoryId?: number;
  /** The head before a push; only of `synchronize`. */
  readonly before?: string;
}

export interface PullRequestClosed extends OfPull {
  readonly kind: 'pull-request-closed';
  readonly merged: boolean;
  readonly mergeSha: string | undefined;
  readonly headSha: string;
  readonly baseRef: string;
  readonly sender: string;
}

/** Only that there is one: what counts is read from GitHub (`latestReviews`). */
export interface ReviewSubmitted extends OfPull {
  readonly kind: 'review-submitted';
  readonly reviewer: string;
  readonly state: 'approved' | 'changes-requested' | 'commented' | 'dismissed';
  readonly commitId: string;
}

export interface CommentCreated extends OfPull {
  readonly kind: 'comment-created';
  readonly author: string;
  /** Of the account; stays when it is renamed. Missing in what an older engine has stored. */
  readonly authorId?: number;
  readonly commentId: number;
  /** Its first 8,192 characters. */
  readonly body: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Somebody edited or deleted the comment that says of an override. */
export interface NoticeChanged extends OfPull {
  readonly kind: 'notice-changed';
  /** The comment with the command that it says of. */
  readonly notice: number;
  /** What happened, so that telling it twice can be known: `deleted 17 2026-01-01T00:00:00Z`. */
  readonly change: string;
  /** The comment that was changed; missing in what an older engine has stored. */
  readonly commentId?: number;
  readonly sender: string;
}

/** `CommentCreated` on an issue that is no pull request. */
export interface IssueCommented extends Omit<CommentCreated, 'kind'> {
  readonly kind: 'issue-commented';
}

/** Somebody pressed a button of one of our checks. */
export interface CheckActionRequested extends EventOrigin {
  readonly kind: 'check-action';
  readonly identifier: string;
  readonly checkRunId: number;
  readonly name: string;
  readonly externalId: string;
  readonly headSha: string;
  readonly sender: string;
  /** Pull requests that GitHub names; empty for those of forks. */
  readonly numbers: readonly number[];
}

/** "Re-run" on one check, or on all of a commit's (then without a name). */
export interface CheckRerequested extends EventOrigin {
  readonly kind: 'check-rerequested';
  readonly name: string | undefined;
  readonly headSha: string;
  readonly sender: string;
  readonly numbers: readonly number[];
}

export interface BranchPushed extends EventOrigin {
  readonly kind: 'branch-pushed';
  readonly branch: string;
  readonly defaultBranch: string;
  readonly sha: string;
  readonly before: string;
  /** Who pushed, whatever names the commits bear; missing in what an older engine has stored. */
  readonly pushedBy?: Sender;
}

/** What goes into which branch is applied is another one now. */
export interface DefaultBranchChanged extends EventOrigin {
  readonly kind: 'default-branch-changed';
  readonly from: string;
  readonly to: string;
}

/** Another App's checks of a commit have ended, or somebody gave it a status; what they say is read from GitHub. */
export interface ChecksCompleted extends EventOrigin {
  readonly kind: 'checks-completed';
  readonly headSha: string;
  /** Empty for those of forks, and for a status. */
  readonly numbers: readonly number[];
}

/** A merge queue asks for the required checks of what it would merge. */
export interface MergeGroupMade extends EventOrigin {
  readonly kind: 'merge-group-made';
  readonly headSha: string;
  readonly baseSha: string;
  /** Without `refs/heads/`. */
  readonly baseRef: string;
}

/** What the App can reach, or how it is called, has changed: installed, suspended, renamed, archived and the like. */
export interface AccessChanged {
  readonly kind: 'access-changed';
  /** As GitHub names it, such as `repository.renamed`. */
  readonly what: string;
}

export type EngineEvent =
  | AccessChanged
  | PullRequestChanged
  | PullRequestClosed
  | ReviewSubmitted
  | CommentCreated
  | NoticeChanged
  | IssueCommented
  | CheckActionRequested
  | CheckRerequested
  | ChecksCompleted
  | MergeGroupMade
  | BranchPushed
  | DefaultBranchChanged;
