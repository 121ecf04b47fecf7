import type { PolicyPeople, PolicySpec, PolicyWho } from '../spec/types.generated.ts';
import { type Account, means } from './account.ts';
import type { Lifted, Teams } from './change.ts';
import { some } from './match.ts';

/** What a policy may keep to some people; `notify` says whom to tell. */
export type Capability = Exclude<keyof PolicyPeople, 'notify'>;

/** Which commands the policy can keep to some people. */
const OF_COMMAND: ReadonlyMap<string, Capability> = new Map([
  ['apply', 'apply'],
  ['cancel', 'cancel'],
  ['rollback', 'rollback'],
  ['unlock', 'unlock'],
]);

const OF_OVERRIDE = { override: 'override', 'break-glass': 'breakGlass' } as const satisfies Record<
  Exclude<Lifted, 'nothing'>,
  Capability
>;

/** Whom the policy names for an override applies with it, though `apply` be kept to others. Undefined: no policy keeps it to some. */
export function capabilityOf(command: string, override?: keyof typeof OF_OVERRIDE): Capability | undefined {
  return override === undefined ? OF_COMMAND.get(command) : OF_OVERRIDE[override];
}

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

/** Teams that let somebody in. */
export function teamsOfPeople(spec: PolicySpec | undefined): readonly string[] {
  const { notify: _, ...capabilities } = spec?.people ?? {};
  return [...new Set(Object.values(capabilities).flatMap(({ teams = [] }: PolicyWho) => teams))];
}

/** Why nobody is known as a member of one of these teams, and what to do about it; undefined where all are shown. */
export function sayUnshown(
  teams: readonly string[],
  { unknown }: Pick<Teams, 'unknown'>,
): string | undefined {
  const unshown = teams.filter((team) => unknown.has(team));
  if (unshown.length === 0) return undefined;
  return `GitHub does not show the team ${some(unshown)}: is it spelt right, and has the App the permission "Members: read"?`;
}

/** `alice, bob or a member of dba` */
export function sayWho({ users = [], teams = [] }: PolicyWho): string {
  const people = users.map((name) => name.split('#')[0] ?? name);
  const all = [...people, ...teams.map((team) => `a member of ${team}`)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}
