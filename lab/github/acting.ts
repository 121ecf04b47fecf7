import type { Account } from './accounts.ts';
import type { Analysis } from './code-scanning.ts';
import type { Json } from './json.ts';
import type { MergeMethod } from './merges.ts';

/** Path to text; null removes the file. */
export type Files = Readonly<Record<string, string | null>>;

export interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

export interface NewRepository {
  /** A name of its own is made up when none is given. */
  readonly name?: string;
  readonly files: Readonly<Record<string, string>>;
  readonly defaultBranch?: string;
  readonly private?: boolean;
}

export interface NewPull {
  readonly branch: string;
  readonly title?: string;
  readonly body?: string;
  readonly base?: string;
  readonly draft?: boolean;
}

export type ReviewEvent = 'APPROVE' | 'REQUEST_CHANGES' | 'COMMENT';

/** What people do on GitHub. All of it goes through the same API as any request, but is not recorded. */
export interface Acting {
  readonly createRepository: (repository: NewRepository) => Promise<RepositoryName>;
  /** The user's own copy, with all branches. A pull request from it has `LOGIN:BRANCH` as its branch. */
  readonly forkRepository: (repo: RepositoryName, user: Account) => Promise<RepositoryName>;
  /**
   * Creates the branch at the tip of `from` (the default branch) and commits to it; gives the commit's id. `author`: whose name the
   * commit bears, which anybody may write.
   */
  readonly branchWithChanges: (
    repo: RepositoryName,
    branch: string,
    files: Files,
    from?: string,
    user?: Account,
    author?: Account,
  ) => Promise<string>;
  /** Commits to an existing branch as the author; gives the commit's id. */
  readonly push: (
    repo: RepositoryName,
    branch: string,
    files: Files,
    user?: Account,
    author?: Account,
  ) => Promise<string>;
  readonly openPullRequest: (repo: RepositoryName, pull: NewPull, user?: Account) => Promise<number>;
  /** Many branches with a pull request each; gives their numbers. */
  readonly openPullRequests: (repo: RepositoryName, changes: readonly Files[]) => Promise<number[]>;
  /** Gives the review's id. */
  readonly review: (
    repo: RepositoryName,
    pull: number,
    user: Account,
    event: ReviewEvent,
    body?: string,
  ) => Promise<number>;
  readonly dismissReview: (repo: RepositoryName, pull: number, review: number) => Promise<void>;
  /** Gives the comment's id. */
  readonly comment: (repo: RepositoryName, pull: number, user: Account, body: string) => Promise<number>;
  /** Anybody who may write can, whoever wrote it; default the repository's owner. */
  readonly editComment: (
    repo: RepositoryName,
    comment: number,
    body: string,
    user?: Account,
  ) => Promise<void>;
  /** Anybody who may write can, whoever wrote it. */
  readonly deleteComment: (repo: RepositoryName, comment: number, user: Account) => Promise<void>;
  readonly closeIssue: (repo: RepositoryName, issue: number) => Promise<void>;
  readonly editPull: (repo: RepositoryName, pull: number, changes: Json) => Promise<void>;
  readonly closePullRequest: (repo: RepositoryName, pull: number) => Promise<void>;
  readonly reopenPullRequest: (repo: RepositoryName, pull: number) => Promise<void>;
  /** The author makes it a draft, or marks it as ready, which GitHub's REST API cannot. */
  readonly setDraft: (repo: RepositoryName, pull: number, draft: boolean) => Promise<void>;
  /** A person presses GitHub's merge button; gives the id of what the branch's tip is then. */
  readonly mergeByHand: (
    repo: RepositoryName,
    pull: number,
    user?: Account,
    method?: MergeMethod,
  ) => Promise<string>;
  /** A person presses one of a check run's own buttons. */
  readonly clickCheckButton: (
    repo: RepositoryName,
    checkRunId: number,
    identifier: string,
    user: Account,
  ) => Promise<void>;
  /** A person presses "Re-run". */
  readonly rerunCheck: (repo: RepositoryName, checkRunId: number, user: Account) => Promise<void>;
  readonly getPull: (repo: RepositoryName, pull: number) => Promise<Json>;
  readonly listChecks: (repo: RepositoryName, sha: string) => Promise<Json[]>;
  readonly listAnnotations: (repo: RepositoryName, checkRunId: number) => Promise<Json[]>;
  readonly listComments: (repo: RepositoryName, pull: number) => Promise<Json[]>;
  /** Open and closed, without pull requests. */
  readonly listIssues: (repo: RepositoryName) => Promise<Json[]>;
  readonly listReactions: (repo: RepositoryName, commentId: number) => Promise<Json[]>;
  readonly branchSha: (repo: RepositoryName, branch: string) => Promise<string>;
  /** Text of a file at a branch or commit; undefined where there is none. */
  readonly fileAt: (repo: RepositoryName, ref: string, path: string) => Promise<string | undefined>;
  readonly createTeam: (slug: string, members: readonly Account[]) => Promise<void>;
  readonly leaveTeam: (slug: string, member: Account) => Promise<void>;
  /** A check run of another App, completed. `app`: its slug, else a workflow's. */
  readonly postCheck: (
    repo: RepositoryName,
    sha: string,
    name: string,
    conclusion: 'success' | 'failure',
    app?: string,
  ) => Promise<void>;
  /** A commit status, of a person or by an App's slug. */
  readonly postStatus: (
    repo: RepositoryName,
    sha: string,
    context: string,
    state: 'pending' | 'success' | 'failure' | 'error',
    by: Account | string,
  ) => Promise<void>;
  /** The account stays the same one; gives it as it is called then. */
  readonly renameAccount: (user: Account, login: string) => Promise<Account>;
  /** As if the author's account were deleted. */
  readonly forgetAuthor: (repo: RepositoryName, pull: number) => Promise<void>;
  /** Makes the head of a pull request one of another repository; its commits stay where `refs/pull` has them. */
  readonly makeFork: (repo: RepositoryName, pull: number, fork: RepositoryName) => Promise<void>;
  /** Somebody puts a pull request into the merge queue; gives the commit that it would merge. */
  readonly requestMergeGroup: (repo: RepositoryName, pull: number, by?: Account) => Promise<string>;
  /** The queue's own account merges. */
  readonly mergeByQueue: (repo: RepositoryName, pull: number) => Promise<void>;
  /** Moves a branch to a commit beside its history, from the default branch's tip; gives the commit's id. */
  /** Closes the pull requests of that branch, as GitHub does. */
  readonly deleteBranch: (repo: RepositoryName, branch: string) => Promise<void>;
  readonly forcePush: (repo: RepositoryName, branch: string, files: Files, onto?: string) => Promise<string>;
  /** What follows gives the repository as it is called afterwards. Its former name leads to it, until somebody else takes that. */
  readonly renameRepository: (repo: RepositoryName, name: string) => Promise<RepositoryName>;
  /** To a person or an organisation; `secondOrganisation` has the App, too. */
  readonly transferRepository: (repo: RepositoryName, to: string) => Promise<RepositoryName>;
  readonly setArchived: (repo: RepositoryName, archived: boolean) => Promise<void>;
  readonly deleteRepository: (repo: RepositoryName) => Promise<void>;
  /** Open pull requests into it go into the new one. */
  readonly renameDefaultBranch: (repo: RepositoryName, to: string) => Promise<void>;
  /** Another one, which is there. */
  readonly setDefaultBranch: (repo: RepositoryName, to: string) => Promise<void>;
  /** Checks that a merge into the default branch needs. `strict`: and a branch that has all of it. */
  readonly protect: (repo: RepositoryName, checks: readonly string[], strict?: boolean) => Promise<void>;
  readonly setMergeMethods: (repo: RepositoryName, methods: readonly MergeMethod[]) => Promise<void>;
  readonly suspendApp: () => Promise<void>;
  readonly unsuspendApp: () => Promise<void>;
  /** Its tokens end at once. */
  readonly uninstallApp: () => Promise<void>;
  /** Again, with an id of its own. */
  readonly installApp: () => Promise<void>;
  /** The owner takes the App off one repository, or puts it on again. */
  readonly coverRepository: (repo: RepositoryName, covered: boolean) => Promise<void>;
  /**
   * What the App may do from now on, in place of these permissions: `none` takes one away. GitHub sends nothing of less; more is
   * granted as soon as an owner accepts it, which it tells.
   */
  readonly setAppPermissions: (
    permissions: Readonly<Record<string, 'none' | 'read' | 'write'>>,
  ) => Promise<void>;
  /** What was uploaded for code scanning, oldest first. */
  readonly analyses: (repo: RepositoryName) => readonly Analysis[];
  readonly setCodeScanning: (repo: RepositoryName, on: boolean) => void;
  /** The next uploads are not processed yet, the next so many times that somebody looks. */
  readonly delayCodeScanning: (repo: RepositoryName, looks: number) => void;
  readonly setCollaborator: (
    repo: RepositoryName,
    user: Account,
    permission: 'admin' | 'push' | 'pull',
  ) => Promise<void>;
}
