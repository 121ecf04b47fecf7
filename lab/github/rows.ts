/** The emulator's stored rows, as far as the lab reads or corrects them. */
export interface Row {
  readonly id: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Collection<T extends Row> {
  insert(data: Omit<T, keyof Row>): T;
  get(id: number): T | undefined;
  findBy<K extends keyof T>(field: K, value: T[K]): T[];
  findOneBy<K extends keyof T>(field: K, value: T[K]): T | undefined;
  update(id: number, data: Partial<T>): T | undefined;
  delete(id: number): boolean;
  all(): T[];
}

export interface UserRow extends Row {
  readonly login: string;
  readonly type: string;
  readonly name: string | null;
  readonly email: string | null;
}

export interface RepoRow extends Row {
  readonly name: string;
  readonly full_name: string;
  readonly private: boolean;
  readonly archived: boolean;
  readonly owner_id: number;
  readonly owner_type: string;
  readonly default_branch: string;
  readonly open_issues_count: number;
  readonly allow_merge_commit: boolean;
  readonly allow_squash_merge: boolean;
  readonly allow_rebase_merge: boolean;
  readonly delete_branch_on_merge: boolean;
  /** Undefined or null: no fork. */
  readonly forked_from_id?: number | null;
  /** The App is on the owner's account, but not on this repository. */
  readonly without_app?: boolean;
}

export interface RefRow extends Row {
  readonly repo_id: number;
  readonly ref: string;
  readonly sha: string;
  readonly node_id: string;
}

export interface BranchRow extends Row {
  readonly repo_id: number;
  readonly name: string;
  readonly sha: string;
  readonly protected: boolean;
}

export interface BlobRow extends Row {
  readonly repo_id: number;
  readonly sha: string;
  readonly node_id: string;
  readonly content: string;
  readonly encoding: string;
  readonly size: number;
}

export interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: string;
  readonly sha: string;
  readonly size?: number;
}

export interface TreeRow extends Row {
  readonly repo_id: number;
  readonly sha: string;
  readonly node_id: string;
  readonly tree: readonly TreeEntry[];
  readonly truncated: boolean;
}

export interface CommitData {
  readonly message: string;
  readonly author_name: string;
  readonly author_email: string;
  /** ISO 8601 with a zone. */
  readonly author_date: string;
  readonly committer_name: string;
  readonly committer_email: string;
  readonly committer_date: string;
  readonly tree_sha: string;
  readonly parent_shas: readonly string[];
}

export interface CommitRow extends Row, CommitData {
  readonly repo_id: number;
  readonly sha: string;
  readonly node_id: string;
  readonly user_id: number | null;
}

export interface PullRow extends Row {
  readonly number: number;
  readonly repo_id: number;
  readonly state: 'open' | 'closed';
  readonly draft: boolean;
  readonly user_id: number;
  readonly head_ref: string;
  readonly head_sha: string;
  readonly head_repo_id: number;
  readonly base_ref: string;
  readonly base_sha: string;
  readonly base_repo_id: number;
  readonly merged: boolean;
  readonly merged_at: string | null;
  readonly merged_by_id: number | null;
  readonly merge_commit_sha: string | null;
  readonly mergeable: boolean | null;
  readonly mergeable_state: string;
  readonly closed_at: string | null;
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changed_files: number;
}

export interface IssueRow extends Row {
  readonly user_id: number;
  readonly repo_id: number;
  readonly number: number;
  readonly state: string;
  readonly closed_at: string | null;
  readonly closed_by_id: number | null;
  readonly is_pull_request: boolean;
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: string;
  readonly message: string;
  readonly start_column?: number;
  readonly end_column?: number;
  readonly title?: string;
  readonly raw_details?: string;
}

export interface CheckAction {
  readonly identifier: string;
  readonly label: string;
  readonly description: string;
}

export interface CheckRunRow extends Row {
  readonly repo_id: number;
  readonly head_sha: string;
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly check_suite_id: number | null;
  readonly actions: readonly CheckAction[] | null;
  readonly output: {
    readonly title: string | null;
    readonly summary: string | null;
    readonly text: string | null;
    readonly annotations_count: number;
    readonly annotations: readonly Annotation[];
  };
}

export interface CollaboratorRow extends Row {
  readonly repo_id: number;
  readonly user_id: number;
  readonly permission: string;
}

export interface CommentRow extends Row {
  readonly repo_id: number;
  readonly comment_type: string;
}

export interface ProtectionRow extends Row {
  readonly repo_id: number;
  readonly branch_name: string;
  readonly required_status_checks: { readonly contexts: readonly string[]; readonly strict: boolean } | null;
  readonly required_pull_request_reviews: { readonly required_approving_review_count: number } | null;
}

export interface ReviewRow extends Row {
  readonly repo_id: number;
  readonly pull_number: number;
  readonly user_id: number;
  readonly state: string;
}

export interface AppRow extends Row {
  readonly app_id: number;
  readonly slug: string;
  readonly name: string;
  readonly private_key: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
}

export interface InstallationRow extends Row {
  readonly installation_id: number;
  readonly app_id: number;
  readonly account_id: number;
  readonly account_type: string;
  readonly suspended_at: string | null;
  readonly permissions: Readonly<Record<string, string>>;
}

export interface Store {
  readonly users: Collection<UserRow>;
  readonly orgs: Collection<UserRow>;
  readonly repos: Collection<RepoRow>;
  readonly refs: Collection<RefRow>;
  readonly branches: Collection<BranchRow>;
  readonly blobs: Collection<BlobRow>;
  readonly trees: Collection<TreeRow>;
  readonly commits: Collection<CommitRow>;
  readonly pullRequests: Collection<PullRow>;
  readonly issues: Collection<IssueRow>;
  readonly checkRuns: Collection<CheckRunRow>;
  readonly collaborators: Collection<CollaboratorRow>;
  readonly comments: Collection<CommentRow>;
  readonly branchProtections: Collection<ProtectionRow>;
  readonly reviews: Collection<ReviewRow>;
  readonly apps: Collection<AppRow>;
  readonly appInstallations: Collection<InstallationRow>;
}

/** Who a token belongs to. */
export interface TokenUser {
  readonly login: string;
  readonly id: number;
  readonly scopes: readonly string[];
  readonly installation?: {
    readonly installationId: number;
    readonly appId: number;
    readonly accountId: number;
    readonly accountType: string;
    readonly permissions: Readonly<Record<string, string>>;
    readonly repositoryIds: readonly number[];
    readonly repositorySelection: string;
  };
}
