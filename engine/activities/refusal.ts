import type { GitHubClient } from '../github/client.ts';
import { isApp } from '../github/merger.ts';
import { accountOf } from '../github/people.ts';
import { branchTip, getPull, type PullRequest } from '../github/pulls.ts';
import { defaultBranchOf } from '../github/repositories.ts';
import { mayWrite, permissionOf } from '../github/reviews.ts';
import { type Capability, capabilityOf, isAmong, sayUnshown, sayWho, whoMay } from '../policy/people.ts';
import type { Engine } from './engine.ts';
import { holdingPolicy, readTeams } from './policy.ts';
import type { IssueRequest, PullRef, RepositoryRef, Request, RunRef } from './types.ts';

/**
 * Everybody may ask what is going on; what changes something needs write access, and the policy may keep it to some.
 * Where the policy is broken, what takes back or frees still works, for nothing else can be done then.
 */
export async function refusal(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  request: Pick<Request, 'command' | 'actor' | 'override' | 'merged'>,
): Promise<string | undefined> {
  const { command, actor, override } = request;
  const capability = capabilityOf(command, override?.kind);
  const base = () => getPull(client, pull.repository, pull.number);
  // GitHub lets no App merge that may not write, and says of none that it may
  const mayMerge = request.merged === true && isApp(actor);
  return (
    (mayMerge ? undefined : await withoutWrite(client, pull.repository, command, actor)) ??
    firstKept(engine, client, pull.repository, actor, capability, base)
  );
}

/** The same of who began a run, which may have waited for its servers for long. */
export function refusalOfRun(
  engine: Engine,
  client: GitHubClient,
  { pull, actor, context, mergeSha }: RunRef,
): Promise<string | undefined> {
  return refusal(engine, client, pull, {
    command: 'apply',
    actor,
    ...(context?.override === undefined ? {} : { override: context.override }),
    ...(mergeSha === undefined ? {} : { merged: true }),
  });
}

/** The same of what is asked on an issue. */
export async function refusalOnIssue(
  engine: Engine,
  client: GitHubClient,
  { repository }: PullRef,
  { command, actor }: IssueRequest,
): Promise<string | undefined> {
  const capability = capabilityOf(command);
  const base = async (): Promise<Base> => {
    const defaultBranch = await defaultBranchOf(client, repository);
    const baseSha = await branchTip(client, repository, defaultBranch);
    return { defaultBranch, baseRef: defaultBranch, baseSha };
  };
  return (
    (await withoutWrite(client, repository, command, actor)) ??
    firstKept(engine, client, repository, actor, capability, base)
  );
}

async function withoutWrite(
  client: GitHubClient,
  repository: RepositoryRef,
  command: string,
  actor: string,
): Promise<string | undefined> {
  if (command === 'help' || command === 'status') return undefined;
  if (mayWrite(await permissionOf(client, repository, actor))) return undefined;
  return `\`${command}\` needs write access to this repository, which you do not have. Nothing was done; ask somebody who has it.`;
}

/** Where the policy that holds is found. */
type Base = Pick<PullRequest, 'defaultBranch' | 'baseRef' | 'baseSha'>;

async function firstKept(
  engine: Engine,
  client: GitHubClient,
  repository: RepositoryRef,
  actor: string,
  capability: Capability | undefined,
  base: () => Promise<Base>,
): Promise<string | undefined> {
  if (capability === undefined) return undefined;
  return keptFrom(engine, client, repository, actor, capability, await base());
}

const WORDS: Readonly<Record<Capability, string>> = {
  apply: '`apply`',
  cancel: '`cancel`',
  rollback: '`rollback`',
  unlock: '`unlock`',
  override: '`apply --override`',
  breakGlass: '`apply --break-glass`',
};

async function keptFrom(
  engine: Engine,
  client: GitHubClient,
  repository: RepositoryRef,
  actor: string,
  capability: Capability,
  snapshot: Base,
): Promise<string | undefined> {
  const holding = await holdingPolicy(engine, client, repository, snapshot);
  const who = whoMay(holding.kind === 'broken' ? undefined : holding.policy.spec, capability);
  if (who === undefined) return undefined;
  if (who === 'nobody')
    return `The policy on ${snapshot.defaultBranch} names nobody for ${WORDS[capability]}. Nothing was done.`;
  const [account, teams] = await Promise.all([
    accountOf(client, actor),
    readTeams(client, repository.owner, who.teams ?? []),
  ]);
  if (account !== undefined && isAmong(who, account, teams)) return undefined;
  const unshown = sayUnshown(who.teams ?? [], teams);
  const kept = `The policy on ${snapshot.defaultBranch} keeps ${WORDS[capability]} to ${sayWho(who)}. Nothing was done; ask one of them.`;
  return unshown === undefined ? kept : `${kept} ${unshown}`;
}
