import type { Readings } from '../../facts/fact.ts';
import { packageFact } from '../../facts/package.ts';
import { installPackages } from '../../operations/packages.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { KindFinding } from '../kind.ts';
import { stateOf } from '../readings.ts';

/** Marks installed packages as held; nothing is installed for it. */
export function holdSteps(holds: readonly string[], readings: Readings): readonly StepDraft[] {
  const free = holds.filter((name) => {
    const { present, hold } = stateOf(readings, packageFact, name);
    return present && !hold;
  });
  if (free.length === 0) return [];
  return [
    {
      id: 'patch:hold',
      operation: installPackages.operation,
      params: {
        packages: free.map((name) => ({ name, version: null, hold: true, origin: null })),
        removes: [],
      },
      dependsOn: [],
      reversible: 'yes',
      disruption: 'none',
      summary: `holds ${free.join(', ')}`,
      diff: free.flatMap((name) => [`- ${name} not held`, `+ ${name} held`]).join('\n'),
    },
  ];
}

export function holdFindings(holds: readonly string[], readings: Readings): readonly KindFinding[] {
  const absent = holds.filter((name) => !stateOf(readings, packageFact, name).present);
  if (absent.length === 0) return [];
  const message = `not installed here, so there is nothing to hold: ${absent.join(', ')}`;
  return [{ severity: 'info', message }];
}
