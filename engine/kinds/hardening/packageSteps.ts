import { packageFact } from '../../facts/package.ts';
import { installPackages, removePackages } from '../../operations/packages.ts';
import type { StepDraft } from '../../plan/step.ts';
import { transactionOf, waysInAlong } from '../along.ts';
import { stateOf } from '../readings.ts';
import type { Judged } from './judge.ts';
import type { View } from './view.ts';
import { isInstalled } from './wants/items.ts';

/** One apt run for all that must come, and one for all that must go. */
export function packageSteps(failed: readonly Judged[], view: View): readonly StepDraft[] {
  const come = namesOf(failed, 'present').filter((name) => !isInstalled(name, view.readings));
  const go = namesOf(failed, 'absent').filter((name) => isInstalled(name, view.readings));
  return [
    ...(go.length === 0 ? [] : [removal(go, view)]),
    ...(come.length === 0 ? [] : [install(come, view)]),
  ];
}

function namesOf(failed: readonly Judged[], state: 'present' | 'absent'): readonly string[] {
  return failed.flatMap(({ wants }) =>
    wants.kind === 'package' && wants.state === state ? wants.names : [],
  );
}

/** Recommended packages stay away: what is not there has no holes. */
export function install(names: readonly string[], { readings }: View): StepDraft {
  const offers = names.map((name) => ({ name, offer: stateOf(readings, packageFact, name).offer }));
  return {
    id: `packages:install:${names[0]}`,
    operation: installPackages.operation,
    params: {
      packages: offers.map(({ name, offer }) => ({
        name,
        version: null,
        hold: false,
        origin: offer?.origin ?? null,
      })),
      removes: [],
      ...waysInAlong(readings, names),
      recommends: false,
    },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: names.join(', '),
    diff: offers.map(({ name, offer }) => `+ ${name} ${offer?.version ?? ''}`.trimEnd()).join('\n'),
  };
}

function removal(names: readonly string[], { readings }: View): StepDraft {
  const removes = transactionOf(readings).removes.filter((name) => !names.includes(name));
  return {
    id: `packages:remove:${names[0]}`,
    operation: removePackages.operation,
    params: { packages: names, removes, ...waysInAlong(readings, names) },
    dependsOn: [],
    reversible: 'best-effort',
    disruption: 'restart',
    summary: `removes ${[...names, ...removes].join(', ')}; configuration files stay, and the undo installs what the repositories still have`,
    diff: [...names, ...removes].map((name) => `- ${name}`).join('\n'),
  };
}
