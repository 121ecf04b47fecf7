import type { Account } from './account.ts';

/** A branch was moved from one commit to another. */
export interface Push {
  /** Zeros: the branch was made. */
  readonly before: string;
  readonly after: string;
  readonly account: Account;
}

export interface Walked {
  readonly pushers: readonly Account[];
  /** A commit that was on the branch, and who pushed it is not known. */
  readonly gap: string | undefined;
}

const NOTHING = /^0+$/;

/**
 * Who moved a branch to its head, back to where it was made or left its base. Every push of a commit on the way counts, also one that
 * was taken away and brought back by somebody else.
 */
export function pushersFrom(pushes: readonly Push[], head: string, starts: readonly string[]): Walked {
  const byAfter = new Map<string, Push[]>();
  for (const push of pushes) byAfter.set(push.after, [...(byAfter.get(push.after) ?? []), push]);
  const done = new Set(starts);
  const pushers: Account[] = [];
  const gaps: string[] = [];
  const waiting = [head];
  for (let sha = waiting.pop(); sha !== undefined; sha = waiting.pop()) {
    if (done.has(sha) || NOTHING.test(sha)) continue;
    done.add(sha);
    const moves = byAfter.get(sha) ?? [];
    if (moves.length === 0) gaps.push(sha);
    pushers.push(...moves.map(({ account }) => account));
    waiting.push(...moves.map(({ before }) => before));
  }
  return { pushers: unique(pushers), gap: gaps[0] };
}

export function unique(accounts: readonly Account[]): readonly Account[] {
  return [...new Map(accounts.map((account) => [account.id ?? account.login, account])).values()];
}
