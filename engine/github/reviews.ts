import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readList } from './pages.ts';

export type Permission = 'admin' | 'write' | 'read' | 'none';
export type ReviewState = 'approved' | 'changes-requested' | 'dismissed';

/** The review that counts of one person, by GitHub's own rule: the latest that is more than a comment. */
export interface Review {
  readonly reviewId: number;
  readonly reviewer: string;
  /** Of the account; stays when it is renamed. */
  readonly reviewerId?: number;
  readonly isBot: boolean;
  readonly state: ReviewState;
  /** Head commit that was reviewed. */
  readonly commitId: string;
  /** ISO 8601. */
  readonly submittedAt: string;
  readonly permission: Permission;
}

/** `cut`: there may be newer ones than were read. */
export interface Reviews {
  readonly reviews: readonly Review[];
  readonly cut: boolean;
}

/** GitHub gives the oldest first. Throws `GitHubError`. */
export async function latestReviews(client: GitHubClient, repo: Repo, number: number): Promise<Reviews> {
  const { items, cut } = await calling(`Reading the reviews of #${number}`, () =>
    readList(async (page) => {
      const query = { owner: repo.owner, repo: repo.name, pull_number: number, per_page: PAGE_SIZE, page };
      return (await client.octokit.pulls.listReviews(query)).data;
    }),
  );
  const reviews = await Promise.all(
    latestByReviewer(items).map(async (review) => ({
      ...review,
      permission: await permissionOf(client, repo, review.reviewer),
    })),
  );
  return { reviews, cut };
}

interface RawReview {
  readonly id: number;
  readonly user: { readonly login: string; readonly id?: number; readonly type: string } | null;
  readonly state: string;
  readonly commit_id: string | null;
  readonly submitted_at?: string;
}

const STATES: Readonly<Record<string, ReviewState>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  DISMISSED: 'dismissed',
};

/** Pure. Comments, pending reviews and those of deleted accounts do not count. */
export function latestByReviewer(reviews: readonly RawReview[]): readonly Omit<Review, 'permission'>[] {
  const latest = new Map<string, Omit<Review, 'permission'>>();
  for (const raw of [...reviews].sort(bySubmission)) {
    const state = STATES[raw.state];
    if (state === undefined || raw.user === null || raw.commit_id === null || raw.submitted_at === undefined)
      continue;
    latest.set(String(raw.user.id ?? raw.user.login), {
      reviewId: raw.id,
      reviewer: raw.user.login,
      ...(raw.user.id === undefined ? {} : { reviewerId: raw.user.id }),
      isBot: raw.user.type === 'Bot',
      state,
      commitId: raw.commit_id,
      submittedAt: raw.submitted_at,
    });
  }
  return [...latest.values()];
}

function bySubmission(a: RawReview, b: RawReview): number {
  return Date.parse(a.submitted_at ?? '') - Date.parse(b.submitted_at ?? '') || a.id - b.id;
}

/** What somebody may do in the repository; `none` for a stranger. Throws `GitHubError`. */
export async function permissionOf(client: GitHubClient, repo: Repo, login: string): Promise<Permission> {
  try {
    return await calling(`Reading the permission of ${login}`, async () => {
      const query = { owner: repo.owner, repo: repo.name, username: login };
      return toPermission((await client.octokit.repos.getCollaboratorPermissionLevel(query)).data);
    });
  } catch (error) {
    if (error instanceof GitHubError && error.type === 'github-not-found') return 'none';
    throw error;
  }
}

export function mayWrite(permission: Permission): boolean {
  return permission === 'write' || permission === 'admin';
}

/** GitHub folds maintain into `write` and triage into `read` itself; a custom role arrives as its base. */
function toPermission({
  permission,
  role_name: role,
}: {
  permission: string;
  role_name: string;
}): Permission {
  if (permission === 'admin') return 'admin';
  if (permission === 'write' || role === 'write' || role === 'maintain') return 'write';
  return permission === 'none' ? 'none' : 'read';
}
