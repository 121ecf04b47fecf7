import type { Readings } from '../../../facts/fact.ts';
import { groupFact } from '../../../facts/group.ts';
import { hostsEntryFact } from '../../../facts/hostsEntry.ts';
import { localeFact } from '../../../facts/locale.ts';
import { sysctlFact } from '../../../facts/sysctl.ts';
import { timezoneFact, ZONEINFO } from '../../../facts/timezone.ts';
import { userFact } from '../../../facts/user.ts';
import type { ResolvedGroup, ResolvedUser } from '../../../spec/configuration.ts';
import { childPointer } from '../../../spec/pointer.ts';
import { type Adoption, adopt, cannot, type Edit, set, type YamlValue } from '../../adoption.ts';
import { stateOf } from '../../readings.ts';

export function adoptSysctl(key: string, readings: Readings): Adoption {
  const now = stateOf(readings, sysctlFact, key);
  if (!now.present) return cannot(`the server does not have ${key}`);
  if (now.persisted !== undefined && now.persisted !== now.runtime)
    return cannot(`${key} is ${now.runtime} now and ${now.persisted} at boot; one value cannot say both`);
  return adopt(set(childPointer('/spec/sysctl', key), now.runtime));
}

export function adoptHostsEntry(address: string, readings: Readings): Adoption {
  const { lines } = stateOf(readings, hostsEntryFact, address);
  const [names] = lines;
  if (names === undefined)
    return cannot(`/etc/hosts has no line for ${address} any more; take the entry out by hand`);
  if (lines.length > 1)
    return cannot(`/etc/hosts has ${lines.length} lines for ${address}; a document says one`);
  return adopt(set(childPointer('/spec/hostsEntries', address), names));
}

export function adoptTimezone(readings: Readings): Adoption {
  const { localtime, name } = stateOf(readings, timezoneFact, 'all');
  if (name === undefined || localtime !== `${ZONEINFO}/${name}`)
    return cannot('/etc/localtime and /etc/timezone of the server name two different zones');
  return adopt(set('/spec/timezone', name));
}

export function adoptLocale(want: Readonly<Record<string, string>>, readings: Readings): Adoption {
  const { text, path } = stateOf(readings, localeFact, 'all');
  const found = new Map(
    text.split('\n').flatMap((line) => {
      const [, name, value] = /^\s*([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined
        ? []
        : [[name, value.trim().replace(/^(["'])(.*)\1$/, '$2')]];
    }),
  );
  const missing = Object.keys(want).find((name) => !found.has(name));
  if (missing !== undefined) return cannot(`${path} does not set ${missing}; take it out by hand`);
  const changed = Object.entries(want).filter(([name, value]) => found.get(name) !== value);
  return adopt(...changed.map(([name]) => set(childPointer('/spec/locale', name), found.get(name) ?? '')));
}

export function adoptGroup(name: string, want: ResolvedGroup, readings: Readings): Adoption {
  const now = stateOf(readings, groupFact, name);
  const pointer = childPointer('/spec/groups', name);
  if (!now.present) return adopt(set(pointer, { state: 'absent' }));
  if (want.state === 'absent') return adopt(set(pointer, {}));
  return adopt(set(childPointer(pointer, 'gid'), now.gid));
}

/** Of a user only what the document manages. Who may log in is not taken over: keys are a case for a person. */
export function adoptUser(name: string, want: ResolvedUser, readings: Readings): Adoption {
  const now = stateOf(readings, userFact, name);
  const pointer = childPointer('/spec/users', name);
  if (!now.present) return adopt(set(pointer, { state: 'absent' }));
  if (want.state === 'absent')
    return cannot(`the user ${name} is there again; say so by hand, if that is meant`);
  const found: Readonly<Record<string, YamlValue>> = {
    uid: now.uid,
    group: now.primaryGroup,
    groups: now.groups,
    shell: now.shell,
    home: now.home,
    comment: now.comment,
  };
  const main = want.group ?? now.primaryGroup;
  const managed = { ...want, ...(want.groups && { groups: want.groups.filter((group) => group !== main) }) };
  const edits = Object.entries(found).flatMap(([key, value]): readonly Edit[] => {
    const wanted = managed[key as keyof typeof managed];
    const same = wanted === undefined || JSON.stringify(wanted) === JSON.stringify(value);
    return same ? [] : [set(childPointer(pointer, key), value)];
  });
  return adopt(...edits);
}
