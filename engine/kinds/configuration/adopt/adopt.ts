import { type ItemKey, type Readings, splitItemKey } from '../../../facts/fact.ts';
import { UNIT_DIR } from '../../../operations/units.ts';
import type { ResolvedConfiguration } from '../../../spec/configuration.ts';
import type { ConfigurationSpec } from '../../../spec/types.generated.ts';
import { type Adoption, cannot } from '../../adoption.ts';
import { adoptPackage } from './packages.ts';
import { adoptDirectory, adoptFile } from './paths.ts';
import {
  adoptGroup,
  adoptHostsEntry,
  adoptLocale,
  adoptSysctl,
  adoptTimezone,
  adoptUser,
} from './settings.ts';
import { adoptUnit } from './units.ts';

/**
 * What the document must say so that the item is as the host has it. `source` is the document's spec as it is written,
 * `spec` the same for the host. Whatever the host says ends up in a text that a person reviews, never in one that is applied
 * by itself.
 */
export function adoptItem(
  source: ConfigurationSpec,
  spec: ResolvedConfiguration,
  item: ItemKey,
  readings: Readings,
): Adoption {
  const { fact, key } = splitItemKey(item);
  switch (fact) {
    case 'path':
      return adoptPath(source, spec, key, readings);
    case 'package': {
      const want = spec.packages[key];
      return want === undefined ? unnamed(item) : adoptPackage(key, want, readings);
    }
    case 'unit': {
      const [own, want] = [source.units?.[key], spec.units[key]];
      return own === undefined || want === undefined ? unnamed(item) : adoptUnit(key, own, want, readings);
    }
    case 'sysctl':
      return spec.sysctl[key] === undefined ? unnamed(item) : adoptSysctl(key, readings);
    case 'hosts-entry':
      return spec.hostsEntries[key] === undefined ? unnamed(item) : adoptHostsEntry(key, readings);
    case 'timezone':
      return spec.timezone === undefined ? unnamed(item) : adoptTimezone(readings);
    case 'locale':
      return spec.locale === undefined ? unnamed(item) : adoptLocale(spec.locale, readings);
    case 'group': {
      const want = spec.groups[key];
      return want === undefined ? unnamed(item) : adoptGroup(key, want, readings);
    }
    case 'user': {
      const want = spec.users[key];
      return want === undefined ? unnamed(item) : adoptUser(key, want, readings);
    }
    case 'authorized-keys':
      return cannot(
        `keys that let somebody log in as ${key} are not taken over; add them by hand, if they are meant`,
      );
    default:
      return cannot(`a ${fact} cannot be read back into a document; change it by hand`);
  }
}

function adoptPath(
  source: ConfigurationSpec,
  spec: ResolvedConfiguration,
  path: string,
  readings: Readings,
): Adoption {
  const [file, wantFile] = [source.files?.[path], spec.files[path]];
  if (file !== undefined && wantFile !== undefined) return adoptFile(path, file, wantFile, readings);
  const [directory, want] = [source.directories?.[path], spec.directories[path]];
  if (directory !== undefined && want !== undefined) return adoptDirectory(path, directory, want, readings);
  const unit = path.startsWith(`${UNIT_DIR}/`) ? path.slice(UNIT_DIR.length + 1) : '';
  const [own, wantUnit] = [source.units?.[unit], spec.units[unit]];
  return own === undefined || wantUnit === undefined
    ? unnamed(`path:${path}`)
    : adoptUnit(unit, own, wantUnit, readings);
}

function unnamed(item: string): Adoption {
  return cannot(`${item} left the document; what is there of it stays until a pull request takes it away`);
}
