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
  /** Of engine/policy/judge.ts. */
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
  };
}
