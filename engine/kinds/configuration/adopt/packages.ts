import type { Readings } from '../../../facts/fact.ts';
import { packageFact } from '../../../facts/package.ts';
import type { ResolvedPackage } from '../../../spec/configuration.ts';
import { childPointer } from '../../../spec/pointer.ts';
import { type Adoption, adopt, cannot, set } from '../../adoption.ts';
import { stateOf } from '../../readings.ts';

export function adoptPackage(name: string, want: ResolvedPackage, readings: Readings): Adoption {
  const now = stateOf(readings, packageFact, name);
  const pointer = childPointer('/spec/packages', name);
  if (now.broken !== undefined)
    return cannot(`${name} is ${now.broken} on the server, neither installed nor absent`);
  if (!now.present) return adopt(set(pointer, { state: 'absent' }));
  if (want.state === 'absent') return adopt(set(pointer, now.hold ? { hold: true } : {}));
  const version = want.version !== undefined && !matches(want.version, now.version ?? '');
  return adopt(
    ...(version ? [set(childPointer(pointer, 'version'), now.version ?? '')] : []),
    ...(now.hold === want.hold ? [] : [set(childPointer(pointer, 'hold'), now.hold)]),
  );
}

/** As packages.ts compares them. */
function matches(pattern: string, version: string): boolean {
  return pattern === version || (pattern.endsWith('*') && version.startsWith(pattern.slice(0, -1)));
}
