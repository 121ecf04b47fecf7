import { type GroupState, groupFact } from '../../facts/group.ts';
import { removeGroup, setGroup } from '../../operations/group.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { ResolvedGroup } from '../../spec/configuration.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { attributeDiff } from './diff.ts';
import { pointerTo } from './files.ts';
import { joined, problem, remark, steps } from './outcome.ts';
import type { Section } from './section.ts';

/** Groups by name: existence and gid. Members belong to the users. */
export const groupsSection: Section = {
  section: 'groups',
  claims: (spec) =>
    Object.keys(spec.groups).map((name) => ({ item: `group:${name}`, pointer: pointerTo('groups', name) })),
  needs: (spec) =>
    Object.entries(spec.groups).map(([name, group]) => ({
      fact: 'group',
      key: name,
      ...(group.state === 'present' && group.gid !== undefined ? { gid: group.gid } : {}),
    })),
  plan: (spec, readings) =>
    joined(
      Object.entries(spec.groups).map(([name, group]) =>
        planGroup(name, group, stateOf(readings, groupFact, name)),
      ),
    ),
};

function planGroup(name: string, want: ResolvedGroup, now: GroupState): KindPlan {
  if (want.state === 'absent') return now.present ? steps(removal(name, now.gid)) : steps();
  const isThere = now.present && (want.gid === undefined || want.gid === now.gid);
  if (isThere) return steps();
  if (now.gidTakenBy !== undefined)
    return problem(
      `group ${name} cannot have the gid ${want.gid}: the group ${now.gidTakenBy} has it; choose another`,
    );
  if (now.present && now.gid === 0)
    return problem(`group ${name} has the gid 0, which the engine never changes`);
  const step = change(name, want, now);
  if (!now.present) return steps(step);
  const message = `files that belong to the gid ${now.gid} of the group ${name} keep that number`;
  return { steps: [step], findings: remark('warning', message) };
}

function change(
  name: string,
  want: Extract<ResolvedGroup, { state: 'present' }>,
  now: GroupState,
): StepDraft {
  const gid = want.gid === undefined ? {} : { gid: String(want.gid) };
  const diff = attributeDiff(now.present ? { gid: String(now.gid) } : {}, gid);
  return {
    id: `group:${name}`,
    operation: setGroup.operation,
    params: { name, gid: want.gid ?? null, system: want.system },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: now.present ? `group ${name} ${diff.replaceAll('\n', ', ')}` : `group ${name} new`,
    diff: [now.present ? '' : `+ group ${name}`, diff].filter((part) => part !== '').join('\n'),
  };
}

function removal(name: string, gid: number): StepDraft {
  return {
    id: `group:${name}`,
    operation: removeGroup.operation,
    params: { name },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: `group ${name} removed`,
    diff: `- group ${name}, gid ${gid}`,
  };
}
