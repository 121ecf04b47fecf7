import type { Gate } from '../activities/types.ts';
import type { Review } from '../github/reviews.ts';

export interface GateInput {
  readonly author: string;
  readonly headSha: string;
  readonly draft: boolean;
  readonly fork: boolean;
  readonly open: boolean;
  /** ISO time at which the check with the present digest was completed. */
  readonly shownAt: string;
  /** Each reviewer's latest review. */
  readonly reviews: readonly Review[];
}

/**
 * Ready when somebody else with write access approved the present head after its present plan was shown, and nobody
 * with write access asks for changes. GitHub's times have whole seconds, so a review in the same second counts.
 */
export function gate(input: GateInput): Gate {
  const approvals = input.reviews.filter((review) => review.state === 'approved' && mayWrite(review));
  const counted = approvals.filter((review) => counts(review, input));
  const missing = [
    ...(input.open ? [] : ['the pull request must be open']),
    ...(input.fork
      ? ['pull requests from forks are validated only; push the branch to this repository']
      : []),
    ...(input.draft ? ['the pull request is a draft; mark it as ready for review'] : []),
    ...objections(input.reviews),
    ...(counted.length > 0 ? [] : [approvalMissing(approvals, input)]),
  ];
  return { ready: missing.length === 0, missing, approvedBy: counted.map((review) => review.reviewer) };
}

function counts(review: Review, input: GateInput): boolean {
  return (
    !same(review.reviewer, input.author) &&
    review.commitId === input.headSha &&
    Date.parse(review.submittedAt) >= Math.floor(Date.parse(input.shownAt) / 1000) * 1000
  );
}

function approvalMissing(approvals: readonly Review[], input: GateInput): string {
  const who = `one approving review by somebody with write access other than ${input.author}`;
  const late = approvals.find((review) => !same(review.reviewer, input.author));
  if (late !== undefined) {
    const why = late.commitId === input.headSha ? 'the plan has changed since' : 'it was for an older head';
    return `${who} (the one by ${late.reviewer} does not count: ${why})`;
  }
  if (approvals.length > 0) return `${who} (an author's own approval does not count)`;
  return who;
}

function objections(reviews: readonly Review[]): readonly string[] {
  const objecting = reviews.filter((review) => review.state === 'changes-requested' && mayWrite(review));
  return objecting.map(
    (review) => `${review.reviewer} requests changes; an approval by them or a dismissal settles it`,
  );
}

function mayWrite(review: Review): boolean {
  return !review.isBot && (review.permission === 'admin' || review.permission === 'write');
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
