import type { GitHubClient } from '../github/client.ts';
import { membersOf } from '../github/people.ts';
import { branchTip, type PullRequest } from '../github/pulls.ts';
import type { Teams } from '../policy/change.ts';
import { RepositoryError } from '../repository/error.ts';
import type { SpecError } from '../spec/manifest.ts';
import { POLICY_FILE, type RepositoryPolicy } from '../spec/policy.ts';
import type { Engine } from './engine.ts';
import { inParallel } from './planning.ts';
import type { RepositoryRef } from './types.ts';

/** The policy that holds. `broken`: there is one, but it says nothing that could be kept; then nothing is applied. */
export type HoldingPolicy =
  | { readonly kind: 'policy'; readonly policy: RepositoryPolicy; readonly commit: string }
  | { readonly kind: 'broken'; readonly reason: string };

/** Teams that are read for one answer. */
const TEAMS_MAX = 50;

/** What no other try changes; all else is tried again, for a policy that cannot be read now holds all the same. */
const UNREADABLE = new Set(['too-large', 'bad-argument']);

/** Reads the policy at the tip of the default branch, whatever branch the pull request goes into. */
export async function holdingPolicy(
  engine: Pick<Engine, 'revisions'>,
  client: GitHubClient,
  repository: RepositoryRef,
  { defaultBranch, baseRef, baseSha }: Pick<PullRequest, 'defaultBranch' | 'baseRef' | 'baseSha'>,
): Promise<HoldingPolicy> {
  const commit = baseRef === defaultBranch ? baseSha : await branchTip(client, repository, defaultBranch);
  try {
    const { policy } = await engine.revisions.resolveCommit(repository, commit);
    const [first] = policy.errors;
    if (first === undefined) return { kind: 'policy', policy, commit };
    return { kind: 'broken', reason: brokenSentence(defaultBranch, first) };
  } catch (error) {
    if (!(error instanceof RepositoryError) || !UNREADABLE.has(error.type)) throw error;
    const reason = `the policy on ${defaultBranch} cannot be read (${error.message}); nothing is applied until it can`;
    return { kind: 'broken', reason };
  }
}

function brokenSentence(branch: string, { position, message }: SpecError): string {
  const where = position.file === POLICY_FILE ? `line ${position.line} of ${POLICY_FILE}` : position.file;
  return `the policy on ${branch} is broken: ${message.replace(/\.$/, '')} (${where}); nothing is applied until it is mended there, by a pull request that changes nothing else`;
}

/** Members of these teams of the repository's organisation. */
export async function readTeams(
  client: GitHubClient,
  organisation: string,
  names: readonly string[],
): Promise<Teams> {
  const wanted = [...new Set(names)].sort();
  const read = await inParallel(wanted.slice(0, TEAMS_MAX), 8, async (team) => ({
    team,
    ...(await membersOf(client, organisation, team)),
  }));
  const known = read.flatMap(({ team, logins }) => (logins === undefined ? [] : [[team, logins] as const]));
  const unknown = wanted.filter((team) => !known.some(([name]) => name === team));
  return { organisation, members: new Map(known), unknown: new Set(unknown) };
}
