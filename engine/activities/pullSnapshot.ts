/** A pull request as GitHub has it now. */
export interface PullSnapshot {
  readonly headSha: string;
  readonly headRef: string;
  /** Tip of the base branch, not the commit that the branch was made from. */
  readonly baseSha: string;
  readonly baseRef: string;
  /** Missing in what older engines read. */
  readonly defaultBranch?: string;
  readonly author: string;
  readonly draft: boolean;
  readonly fork: boolean;
  readonly state: 'open' | 'closed' | 'merged';
  readonly mergeSha: string | undefined;
  /** Whoever put it into the merge queue, where that merged it; `NAME[bot]`: an App. */
  readonly mergedBy?: string;
  /** When it was so: epoch ms by GitHub's clock. Left out by older engines. */
  readonly seenAt?: number;
  /** Merged since it was looked at last, if it ever was. */
  readonly isNews?: true;
}
