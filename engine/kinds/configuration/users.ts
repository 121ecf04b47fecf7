import { type UserState, userFact } from '../../facts/user.ts';
import { removeUser, type SetUser, setUser } from '../../operations/user.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { ResolvedConfiguration, ResolvedUser } from '../../spec/configuration.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { accountNeeds, missingAccounts } from './accounts.ts';
import { attributeDiff } from './diff.ts';
import { pointerTo } from './files.ts';
import { joined, problem, remark, steps } from './outcome.ts';
import type { Section } from './section.ts';

type WantedUser = Extract<ResolvedUser, { state: 'present' }>;
type PresentUser = Extract<UserState, { present: true }>;

/** Users by name. Their keys are in authorizedKeys.ts, since a home folder may come with directories. */
export const usersSection: Section = {
  section: 'users',
  claims: (spec) =>
    Object.keys(spec.users).map((name) => ({ item: `user:${name}`, pointer: pointerTo('users', name) })),
  needs: (spec) => [
    ...Object.entries(spec.users).map(([name, user]) => ({
      fact: 'user',
      key: name,
      ...(user.state === 'present' && user.uid !== undefined ? { uid: user.uid } : {}),
    })),
    ...accountNeeds(spec, groupsOf(spec)),
  ],
  plan: (spec, readings) => {
    const plans = Object.entries(spec.users).map(([name, user]) =>
      planUser(name, user, stateOf(readings, userFact, name)),
    );
    return joined([...plans, { steps: [], findings: missingAccounts(spec, readings, groupsOf(spec)) }]);
  },
};

function groupsOf(spec: ResolvedConfiguration) {
  return Object.entries(spec.users).flatMap(([name, user]) =>
    user.state === 'absent'
      ? []
      : [...(user.groups ?? []), ...(user.group === undefined ? [] : [user.group])].map((group) => ({
          kind: 'group' as const,
          name: group,
          for: `user ${name}`,
        })),
  );
}

function planUser(name: string, want: ResolvedUser, now: UserState): KindPlan {
  if (want.state === 'absent') return now.present ? planRemoval(name, now) : steps();
  if (!now.present) return planNew(name, want, now);
  const diff = attributeDiff(attributesOf(now, want), wantedAttributes(want, now.primaryGroup));
  return diff === '' ? steps() : planChange(name, want, now, diff);
}

function planRemoval(name: string, now: PresentUser): KindPlan {
  if (now.uid === 0) return problem(`user ${name} has the uid 0 and is never removed`);
  if (now.self)
    return problem(`user ${name} cannot be removed: the engine logs in as ${name}; use another user for it`);
  if (now.processes > 0)
    return problem(
      `user ${name} cannot be removed while ${now.processes} processes run as ${name}; end its sessions and services first`,
    );
  return steps({
    ...draft(name),
    operation: removeUser.operation,
    params: { name },
    summary: `user ${name} removed; ${now.home} stays`,
    diff: `- user ${name}, uid ${now.uid}, group ${now.primaryGroup}, home ${now.home}`,
  });
}

function planNew(name: string, want: WantedUser, now: UserState): KindPlan {
  if (now.uidTakenBy !== undefined) return uidTaken(name, want, now.uidTakenBy);
  const diff = attributeDiff({}, wantedAttributes(want, want.group ?? name));
  return steps({
    ...draft(name),
    operation: setUser.operation,
    params: paramsOf(name, want),
    summary: `user ${name} new`,
    diff: [`+ user ${name}`, diff].filter((part) => part !== '').join('\n'),
  });
}

function planChange(name: string, want: WantedUser, now: PresentUser, diff: string): KindPlan {
  const newUid = want.uid !== undefined && want.uid !== now.uid;
  const newHome = want.home !== undefined && want.home !== now.home;
  const newGroup = want.group !== undefined && want.group !== now.primaryGroup;
  if (newUid && now.uidTakenBy !== undefined) return uidTaken(name, want, now.uidTakenBy);
  if (newUid && now.uid === 0) return problem(`user ${name} has the uid 0, which the engine never changes`);
  if ((newUid || newHome) && now.processes > 0)
    return problem(
      `uid and home of user ${name} cannot change while ${now.processes} processes run as ${name}; end its sessions and services first`,
    );
  const step: StepDraft = {
    ...draft(name),
    operation: setUser.operation,
    params: paramsOf(name, want),
    reversible: newUid || newGroup ? 'best-effort' : 'yes',
    summary: `user ${name} ${diff.replaceAll('\n', ', ')}`,
    diff,
  };
  return { steps: [step], findings: changeRemarks(name, want, now, { newUid, newGroup, newHome }) };
}

function changeRemarks(
  name: string,
  want: WantedUser,
  now: PresentUser,
  is: { readonly newUid: boolean; readonly newGroup: boolean; readonly newHome: boolean },
): KindPlan['findings'] {
  const owner = `files of user ${name} in ${now.home} get the new owner, those elsewhere keep the old number; an undo gives all of ${now.home} that has the new number back`;
  const home = `files of user ${name} stay in ${now.home}; they are not moved to ${want.home}`;
  return [
    ...(is.newUid || is.newGroup ? remark('warning', owner) : []),
    ...(is.newHome ? remark('warning', home) : []),
  ];
}

function uidTaken(name: string, want: WantedUser, other: string): KindPlan {
  return problem(`user ${name} cannot have the uid ${want.uid}: the user ${other} has it; choose another`);
}

function draft(name: string) {
  return {
    id: `user:${name}`,
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
  } as const;
}

function paramsOf(name: string, want: WantedUser): SetUser {
  return {
    name,
    uid: want.uid ?? null,
    group: want.group ?? null,
    groups: want.groups === undefined ? null : [...want.groups].sort(),
    shell: want.shell ?? null,
    home: want.home ?? null,
    comment: want.comment ?? null,
    system: want.system,
  };
}

/** Only what is managed. The primary group is never a supplementary one as well. */
function wantedAttributes(want: WantedUser, primary: string): Record<string, string> {
  const main = want.group ?? primary;
  const groups = want.groups?.filter((group) => group !== main).sort();
  return defined({
    uid: want.uid === undefined ? undefined : String(want.uid),
    group: want.group,
    groups: groups?.join(','),
    shell: want.shell,
    home: want.home,
    comment: want.comment,
  });
}

function attributesOf(now: PresentUser, want: WantedUser): Record<string, string | undefined> {
  const main = want.group ?? now.primaryGroup;
  return {
    uid: String(now.uid),
    group: now.primaryGroup,
    groups: now.groups.filter((group) => group !== main).join(','),
    shell: now.shell,
    home: now.home,
    comment: now.comment,
  };
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
