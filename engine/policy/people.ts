import type { PolicyPeople, PolicySpec, PolicyWho } from '../spec/types.generated.ts';
import { type Account, means } from './account.ts';
import type { Teams } from './change.ts';

/** What a policy may keep to some people; `notify` says whom to tell. */
export type Capability = Exclude<keyof PolicyPeople, 'notify'>;

/** Undefined: everybody with write access. `nobody`: the policy names none. */
export function whoMay(
  spec: PolicySpec | undefined,
  capability: Capability,
): PolicyWho | 'nobody' | undefined {
  const who = spec?.people?.[capability];
  if (who !== undefined) return who;
  return capability === 'override' || capability === 'breakGlass' ? 'nobody' : undefined;
}

export function isAmong(who: PolicyWho, account: Account, teams: Pick<Teams, 'members'>): boolean {
  if ((who.users ?? []).some((name) => means(name, account))) return true;
  return (who.teams ?? []).some((team) => teams.members.get(team)?.has(account.login.toLowerCase()) === true);
}

/** `alice, bob or a member of dba` */
export function sayWho({ users = [], teams = [] }: PolicyWho): string {
  const people = users.map((name) => name.split('#')[0] ?? name);
  const all = [...people, ...teams.map((team) => `a member of ${team}`)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}
