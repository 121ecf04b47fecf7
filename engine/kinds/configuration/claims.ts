import { type ItemKey, itemKey } from '../../facts/fact.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import { childPointer } from '../../spec/pointer.ts';
import type { Claim } from '../kind.ts';

/** Folder of units that an administrator writes (systemd.unit(5)). */
export const UNIT_FOLDER = '/etc/systemd/system';

/** Everything that a configuration writes on its host, each with the place that says so. */
export function configurationClaims(spec: ResolvedConfiguration): readonly Claim[] {
  return [
    ...section(spec, 'aptRepositories', 'apt-repository'),
    ...section(spec, 'packages', 'package'),
    ...section(spec, 'groups', 'group'),
    ...section(spec, 'users', 'user'),
    ...authorizedKeys(spec),
    ...section(spec, 'directories', 'path'),
    ...section(spec, 'files', 'path'),
    ...section(spec, 'units', 'unit'),
    ...unitFiles(spec),
    ...section(spec, 'sysctl', 'sysctl'),
    ...section(spec, 'hostsEntries', 'hosts-entry'),
    ...section(spec, 'scripts', 'script'),
    ...(spec.timezone === undefined ? [] : [{ item: itemKey('timezone', 'all'), pointer: '/timezone' }]),
    ...(spec.locale === undefined ? [] : [{ item: itemKey('locale', 'all'), pointer: '/locale' }]),
  ];
}

type Section = Exclude<keyof ResolvedConfiguration, 'timezone' | 'locale' | 'probes'>;

function section(spec: ResolvedConfiguration, name: Section, fact: string): readonly Claim[] {
  return Object.keys(spec[name]).map((key) => claim(itemKey(fact, key), name, key));
}

/** The keys of a user are a file of their own. */
function authorizedKeys(spec: ResolvedConfiguration): readonly Claim[] {
  return Object.entries(spec.users)
    .filter(([, user]) => user.state === 'present' && user.authorizedKeys !== undefined)
    .map(([name]) => {
      const { pointer } = claim(itemKey('user', name), 'users', name);
      return { item: itemKey('authorized-keys', name), pointer: `${pointer}/authorizedKeys` };
    });
}

/** A unit whose text is managed is a file too. */
function unitFiles(spec: ResolvedConfiguration): readonly Claim[] {
  return Object.entries(spec.units)
    .filter(([, unit]) => unit.state === 'present' && unit.content !== undefined)
    .map(([name]) => {
      const { pointer } = claim(itemKey('unit', name), 'units', name);
      return { item: itemKey('path', `${UNIT_FOLDER}/${name}`), pointer: `${pointer}/content` };
    });
}

function claim(item: ItemKey, sectionName: string, key: string): Claim {
  return { item, pointer: childPointer(`/${sectionName}`, key) };
}
