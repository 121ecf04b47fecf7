import type { OtherCheck } from '../github/otherChecks.ts';
import type { Review } from '../github/reviews.ts';
import type { Step } from '../plan/step.ts';
import type { Account } from './account.ts';
import type { Aside } from './aside.ts';

/** A pull request with its plan, as far as a policy looks at it. Pure data, gathered from GitHub, git and the store. */
export interface Change {
  readonly author: Account;
  /** Authors and committers of its commits, and who was seen to push to it. */
  readonly pushers: readonly Account[];
  /** Why it is not known who pushed, and what to do about it; then no approval counts. */
  readonly pushersUnknown: string | undefined;
  /** Of the plan. */
  readonly headSha: string;
  /** The pull request has a newer head meanwhile. */
  readonly superseded: boolean;
  readonly draft: boolean;
  readonly fork: boolean;
  /** Somebody with write access asked for a plan of this head by its SHA. */
  readonly vouched: boolean;
  /** It does not go into the default branch. */
  readonly aside: Aside | undefined;
  /** It was merged into another branch than the one that it was planned for. */
  readonly strayed: boolean;
  /** Why GitHub would refuse the merge, and what to do; nothing once a run has begun. */
  readonly unmergeable: readonly string[];
  /** Open; or merged, where policy applies after the merge, or while its run goes on. */
  readonly open: boolean;
  /** ISO time at which the check with the present digest was completed. */
  readonly shownAt: string;
  /** Another plan of this head was shown before. */
  readonly replaced: boolean;
  /** Each reviewer's latest review. */
  readonly reviews: readonly Review[];
  /** There are more reviews than are read, and the newest are not among those that were. */
  readonly reviewsCut: boolean;
  readonly targets: readonly Target[];
  /** Files that the merge changes, from the root with `/`. */
  readonly paths: readonly string[];
  /** Text of CODEOWNERS on the default branch. */
  readonly codeowners: string | undefined;
  readonly teams: Teams;
  readonly checks: readonly OtherCheck[];
  /** There may be more than were read. */
  readonly checksCut: boolean;
  /** Epoch ms. */
  readonly now: number;
  /** What somebody who may took away by a command. */
  readonly lifted: Lifted;
}

export type Lifted = 'nothing' | 'override' | 'break-glass';

/** As what a server counts. */
export interface Place {
  readonly site: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A server with what is to be done on it, or that the change moves. */
export interface Target {
  readonly name: string;
  /** By the merge; none of one that the change drops. */
  readonly now: readonly Place[];
  /** What the same machine counts as until then. A change cannot put this aside: the rules of all of it hold. */
  readonly before: readonly Place[];
  /** The change gives it other labels, another site, name, address or key, or drops it. Then it may have no steps. */
  readonly moved: boolean;
  readonly steps: readonly Step[];
}

/** Who of those that matter is in which team of the repository's organisation. */
export interface Teams {
  readonly organisation: string;
  /** Lower-case logins by team. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
  /** Teams that are not there, or that the App may not read. */
  readonly unknown: ReadonlySet<string>;
}

/** Servers on which something is done. */
export function changedOf(targets: readonly Target[]): readonly Target[] {
  return targets.filter(({ steps }) => steps.length > 0);
}

/** Packages that a step takes away, those that go with others included. */
export function packagesRemoved({ operation, params }: Step): number {
  const count = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
  return count(params.removes) + (operation === 'packages.remove' ? count(params.packages) : 0);
}
