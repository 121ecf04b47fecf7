import type { Json } from '../operations/operation.ts';
import type { Connection } from './schema.ts';
import { type Clock, detailText, parseDetail } from './values.ts';

/** How a pull request's plan was last judged, as its check shows it. */
export interface StoredVerdict {
  /** `owner/name` */
  readonly repository: string;
  readonly number: number;
  readonly headSha: string;
  readonly digest: string;
  /** Of engine/policy/judge.ts; with `merged: true` where the pull request was merged before it was applied. */
  readonly verdict: Json;
}

export function verdictsIn({ db }: Connection, now: Clock) {
  return {
    /** The newest replaces what was there. */
    async save({ repository, number, headSha, digest, verdict }: StoredVerdict): Promise<void> {
      const judged = {
        head_sha: headSha,
        digest,
        judged_at: now(),
        verdict: detailText(verdict),
      };
      await db
        .insertInto('verdicts')
        .values({ repository, number, ...judged })
        .onConflict((c) => c.columns(['repository', 'number']).doUpdateSet(judged))
        .execute();
    },

    /** `judgedAt`: epoch ms. Names of repositories are compared as GitHub does, without regard to case. */
    async of(
      repository: string,
      number: number,
    ): Promise<(StoredVerdict & { readonly judgedAt: number }) | undefined> {
      const row = await db
        .selectFrom('verdicts')
        .selectAll()
        .where((e) => e.fn('lower', ['repository']), '=', repository.toLowerCase())
        .where('number', '=', number)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const { head_sha: headSha, digest, judged_at: judgedAt, verdict } = row;
      return { repository: row.repository, number, headSha, digest, judgedAt, verdict: parseDetail(verdict) };
    },

    /** Digests of plans of a repository that were merged before they were applied, and wait for a window that opens later than that; epoch ms. */
    async mergedBeforeWindow(repository: string, laterThanMs: number): Promise<readonly string[]> {
      const rows = await db
        .selectFrom('verdicts')
        .select(['digest', 'verdict'])
        .where('repository', '=', repository)
        .where('verdict', 'like', '%"merged":true%')
        .execute();
      const opens = (verdict: string) => (parseDetail(verdict) as { readonly opensAt?: number }).opensAt ?? 0;
      return rows.filter(({ verdict }) => opens(verdict) > laterThanMs).map(({ digest }) => digest);
    },
  };
}
