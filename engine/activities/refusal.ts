import type { GitHubClient } from '../github/client.ts';
import { accountOf } from '../github/people.ts';
import { getPull } from '../github/pulls.ts';
import { permissionOf } from '../github/reviews.ts';
import { type Capability, isAmong, sayWho, whoMay } from '../policy/people.ts';
import type { Engine } from './engine.ts';
import { holdingPolicy, readTeams } from './policy.ts';
import type { PullRef, Request } from './types.ts';

/** Which commands the policy can keep to some people. */
const CAPABILITIES: Readonly<Partial<Record<string, Capability>>> = {
  apply: 'apply',
  cancel: 'cancel',
  rollback: 'rollback',
  unlock: 'unlock',
};

/**
 * Everybody may ask what is going on; what changes something needs write access, and the policy may keep it to some.
 * Where the policy is broken, what takes back or frees still works, for nothing else can be done then.
 */
export async function refusal(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  request: Request,
): Promise<string | undefined> {
  const { command, actor, override } = request;
  if (command === 'help' || command === 'status') return undefined;
  const permission = await permissionOf(client, pull.repository, actor);
  if (permission !== 'write' && permission !== 'admin')
    return `\`${command}\` needs write access to this repository, which you do not have. Nothing was done; ask somebody who has it.`;
  const own = CAPABILITIES[command];
  const extra = override === undefined ? [] : [OVERRIDES[override.kind]];
  for (const capability of [...(own === undefined ? [] : [own]), ...extra]) {
    const kept = await keptFrom(engine, client, pull, actor, capability);
    if (kept !== undefined) return kept;
  }
  return undefined;
}

const OVERRIDES = { override: 'override', 'break-glass': 'breakGlass' } as const satisfies Record<
  string,
  Capability
>;

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
  pull: PullRef,
  actor: string,
  capability: Capability,
): Promise<string | undefined> {
  const { repository, number } = pull;
  const snapshot = await getPull(client, repository, number);
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
  return `The policy on ${snapshot.defaultBranch} keeps ${WORDS[capability]} to ${sayWho(who)}. Nothing was done; ask one of them.`;
}
