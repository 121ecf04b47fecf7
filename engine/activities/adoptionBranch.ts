import { recordName } from '../github/workflowIds.ts';
import type { Account } from '../policy/account.ts';
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
  const name = recordName(repository);
  const entries = await store.audit.list({ repository: name, pull: issue });
  const asked = entries.filter(({ what }) => what === 'adopt' || what === 'ask-adopt').map(({ who }) => who);
  return [...new Set(asked)].map((login) => ({ login }));
}
