import { recordName } from '../github/workflowIds.ts';
import type { Account } from '../policy/account.ts';
import { unique } from '../policy/pushes.ts';
import type { AuditRecord } from '../store/audit.ts';
import type { Engine } from './engine.ts';
import type { RepositoryRef } from './types.ts';

/** Always the same for an issue, so that asking twice renews one pull request. */
export function adoptBranch(issue: number): string {
  return `doaas/adopt-${issue}`;
}

/** The drift issue whose adoption a branch is. */
function issueOfAdoption(headRef: string): number | undefined {
  const number = /^doaas\/adopt-(\d{1,10})$/.exec(headRef)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** What was asked, and what came of it; a refused one made nothing. */
const ASKED = ['ask-adopt', 'adopt'];

/**
 * Who asked for an adoption: it is their pull request, though the App opens it. Else whoever changed a server by hand could
 * have that written into the branch and approve it, alone.
 */
export async function askersOf(
  { store }: Pick<Engine, 'store'>,
  repository: RepositoryRef,
  headRef: string,
): Promise<readonly Account[]> {
  const issue = issueOfAdoption(headRef);
  if (issue === undefined) return [];
  const query = { repository: recordName(repository), pull: issue, what: ASKED };
  const askers: Account[] = [];
  for (let afterSeq = 0; ; ) {
    const page = await store.audit.list({ ...query, afterSeq });
    const last = page.at(-1);
    if (last === undefined) return unique(askers);
    askers.push(...page.map(askerOf));
    afterSeq = last.seq;
  }
}

/** By id, which a rename leaves as it is; entries of older engines have the name of then only. */
function askerOf({ who, detail }: AuditRecord): Account {
  const account = (detail as { readonly account?: unknown } | null)?.account;
  return { login: who, ...(typeof account === 'number' ? { id: account } : {}) };
}
