import type { Review } from '../github/reviews.ts';
import type { PolicyApproval } from '../spec/types.generated.ts';
import { type Account, means, sameAccount } from './account.ts';
import type { Change } from './change.ts';
import { OWNERS_LINES_MAX, ownersOf, parseCodeowners } from './codeowners.ts';
import { isAmong, sayUnshown, sayWho } from './people.ts';

export interface ApprovalAsk {
  /** What is asked, without whether it is there: `2 approving reviews by a member of dba`. */
  readonly asks: string;
  /** What is missing, with the reviews that do not count; undefined when it is given. */
  readonly missing: string | undefined;
  readonly by: readonly string[];
}

/** How one requirement stands. `rule`: its name, undefined for the default one. */
export function judgeApproval(
  approval: PolicyApproval,
  change: Change,
  rule: string | undefined,
): ApprovalAsk {
  const count = approval.count ?? 1;
  const owned = ownedBy(approval, change);
  const fits = (review: Review): boolean => isEligible(approval, owned, review, change);
  const approvals = change.reviews.filter(isApproval);
  const given = change.reviews.filter((review) => countsAtAll(review, change));
  const counted = given.filter(fits);
  const uncovered = owned.filter(({ owners }) => !given.some((review) => isOwner(owners, review, change)));
  const asks = `${reviews(count)} by ${sayEligible(approval)}`;
  const by = counted.map((review) => review.reviewer);
  const unowned = withoutOwners(approval, change);
  if (counted.length >= count && uncovered.length === 0 && unowned === undefined)
    return { asks, missing: undefined, by };
  const unshown = sayUnshown(approval.teams ?? [], change.teams);
  const notes = [
    ...(rule === undefined ? [] : [`rule ${rule}`]),
    ...(counted.length > 0 && counted.length < count ? [`${counted.length} of ${count} is there`] : []),
    ...(unowned === undefined ? [] : [unowned]),
    ...uncovered.slice(0, 3).map(({ path, owners }) => `${path} is owned by ${owners.join(' ')}`),
    ...(unshown === undefined ? [] : [unshown]),
    ...approvals.flatMap((review) => note(review, fits(review), change)).slice(0, 3),
  ];
  const suffix = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  return { asks, missing: `${asks} other than ${change.author.login}${suffix}`, by };
}

function reviews(count: number): string {
  return count === 1 ? 'one approving review' : `${count} approving reviews`;
}

function sayEligible(approval: PolicyApproval): string {
  const named = sayWho(approval);
  const owner = approval.codeOwners === true ? 'a code owner' : '';
  const who = [named, owner].filter((text) => text !== '').join(' or ');
  if (who !== '') return who;
  return `${(approval.count ?? 1) === 1 ? 'somebody' : 'people'} with write access`;
}

function isApproval(review: Review): boolean {
  return review.state === 'approved' && mayWrite(review);
}

/** An approval that would do for a rule that names nobody. */
export function countsAtAll(review: Review, change: Change): boolean {
  return isApproval(review) && objection(review, change) === undefined;
}

/** Why an approval counts for nothing; undefined where it counts. */
function objection(review: Review, change: Change): string | undefined {
  const reviewer = accountOf(review);
  if (sameAccount(reviewer, change.author)) return "an author's own approval does not count";
  const because = (why: string): string => `the one by ${review.reviewer} does not count: ${why}`;
  if (change.pushers.some((pusher) => sameAccount(pusher, reviewer)))
    return because(`${review.reviewer} pushed to it`);
  if (change.pushersUnknown !== undefined) return because(change.pushersUnknown);
  if (review.commitId !== change.headSha) return because('it was for an older head');
  // GitHub's times have whole seconds, so a review in the same second counts
  const shown = Math.floor(Date.parse(change.shownAt) / 1000) * 1000;
  if (Date.parse(review.submittedAt) >= shown) return undefined;
  return because(
    change.replaced ? 'the plan has changed since' : 'it came before this plan was shown; approve again',
  );
}

function note(review: Review, fits: boolean, change: Change): readonly string[] {
  const why = objection(review, change);
  if (why !== undefined) return [why];
  return fits ? [] : [`the one by ${review.reviewer} does not count here: not one of them`];
}

/** Why nobody can tell whose the changed paths are; then no approval is enough. */
function withoutOwners({ codeOwners }: PolicyApproval, { codeowners }: Change): string | undefined {
  if (codeOwners !== true) return undefined;
  if (codeowners === undefined) return 'the default branch has no CODEOWNERS';
  if (parseCodeowners(codeowners) !== undefined) return undefined;
  return `CODEOWNERS of the default branch has more than ${OWNERS_LINES_MAX} lines with a pattern; shorten it, by folders instead of files`;
}

interface Owned {
  readonly path: string;
  readonly owners: readonly string[];
}

/** Changed paths that have owners, one for each set of owners. */
function ownedBy({ codeOwners }: PolicyApproval, change: Change): readonly Owned[] {
  if (codeOwners !== true || change.codeowners === undefined) return [];
  const lines = parseCodeowners(change.codeowners) ?? [];
  const bySet = new Map<string, Owned>();
  for (const path of change.paths) {
    const owners = ownersOf(lines, path);
    const key = owners.join(' ');
    if (owners.length > 0 && !bySet.has(key)) bySet.set(key, { path, owners });
  }
  return [...bySet.values()];
}

function isEligible(
  approval: PolicyApproval,
  owned: readonly Owned[],
  review: Review,
  change: Change,
): boolean {
  const open = approval.users === undefined && approval.teams === undefined;
  if (open && approval.codeOwners !== true) return true;
  if (isAmong(approval, accountOf(review), change.teams)) return true;
  if (approval.codeOwners !== true) return false;
  // what nobody owns, anybody may approve, as on GitHub
  if (owned.length === 0) return open && change.codeowners !== undefined;
  return owned.some(({ owners }) => isOwner(owners, review, change));
}

/** Owners are `@login` or `@organisation/team`; an address of mail names nobody whom GitHub would tell us. */
function isOwner(owners: readonly string[], review: Review, change: Change): boolean {
  return owners.some((owner) => {
    const team = teamOf(owner, change.teams.organisation);
    if (team !== undefined)
      return change.teams.members.get(team)?.has(review.reviewer.toLowerCase()) === true;
    return owner.startsWith('@') && means(owner.slice(1), accountOf(review));
  });
}

/** The team that an owner names, if it is one of the organisation. */
export function teamOf(owner: string, organisation: string): string | undefined {
  const [org = '', team] = owner.replace(/^@/, '').split('/');
  const known = owner.startsWith('@') && org.toLowerCase() === organisation.toLowerCase();
  return known ? team?.toLowerCase() : undefined;
}

/** Teams that must be known to judge a requirement. */
export function teamsFor(
  approval: PolicyApproval,
  change: Pick<Change, 'paths' | 'codeowners'>,
  organisation: string,
) {
  const lines = (approval.codeOwners === true ? parseCodeowners(change.codeowners ?? '') : undefined) ?? [];
  const owners = lines.length === 0 ? [] : change.paths.flatMap((path) => ownersOf(lines, path));
  return [...(approval.teams ?? []), ...owners.flatMap((owner) => teamOf(owner, organisation) ?? [])];
}

export function accountOf(review: Review): Account {
  return { login: review.reviewer, id: review.reviewerId };
}

export function mayWrite(review: Review): boolean {
  return !review.isBot && (review.permission === 'admin' || review.permission === 'write');
}
