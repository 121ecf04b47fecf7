import type { Connection } from './schema.ts';
import { type Clock, plainText } from './values.ts';

/** A branch of one repository, by GitHub's id of that: for a fork's, the fork. */
export interface PushedBranch {
  readonly repositoryId: number;
  /** Without `refs/heads/`. */
  readonly branch: string;
}

/** A branch was moved, as GitHub told it. */
export interface StoredPush {
  /** Zeros: the branch was made. */
  readonly before: string;
  readonly after: string;
  /** Who did it, whatever names the commits bear. */
  readonly account: { readonly login: string; readonly id: number };
}

/** Of one branch that are read, newest first; behind them GitHub is asked. */
const READ_MAX = 1_000;

/** Who pushed. Kept apart from workflows: a pull request's ends when it is closed, and begins only when it is opened. */
export function pushesIn({ db }: Connection, now: Clock) {
  return {
    /** Idempotent: the same push is told by several events, and by some of them twice. */
    async add({ repositoryId, branch }: PushedBranch, pushes: readonly StoredPush[]): Promise<void> {
      if (pushes.length === 0) return;
      const at = now();
      const rows = pushes.map(({ before, after, account }) => ({
        repository_id: repositoryId,
        branch: plainText(branch),
        before_sha: before,
        after_sha: after,
        account_id: account.id,
        login: plainText(account.login),
        at,
      }));
      await db
        .insertInto('pushes')
        .values(rows)
        .onConflict((c) => c.columns(KEY).doNothing())
        .execute();
    },

    async of({ repositoryId, branch }: PushedBranch): Promise<readonly StoredPush[]> {
      const rows = await db
        .selectFrom('pushes')
        .select(['before_sha as before', 'after_sha as after', 'account_id as id', 'login'])
        .where('repository_id', '=', repositoryId)
        .where('branch', '=', plainText(branch))
        .orderBy('at', 'desc')
        .limit(READ_MAX)
        .execute();
      return rows.map(({ before, after, id, login }) => ({ before, after, account: { login, id } }));
    },

    /** Forgets those that were told before `beforeMs` (epoch ms); returns how many. What is needed again is asked of GitHub. */
    async prune(beforeMs: number): Promise<number> {
      const deleted = await db.deleteFrom('pushes').where('at', '<', beforeMs).executeTakeFirst();
      return Number(deleted.numDeletedRows);
    },
  };
}

const KEY = ['repository_id', 'branch', 'before_sha', 'after_sha', 'account_id'] as const;
