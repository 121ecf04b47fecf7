import type { FactQuery, ItemKey } from '../../facts/fact.ts';
import { type LynisState, lynisFact } from '../../facts/lynis.ts';
import { type PackageQuery, packageFact } from '../../facts/package.ts';
import { auditWithLynis } from '../../operations/lynis.ts';
import { reloadUnit, restartUnit } from '../../operations/units.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { KindFinding } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { install } from './packageSteps.ts';
import type { ResolvedHardening } from './spec.ts';
import type { View } from './view.ts';
import { isInstalled } from './wants/items.ts';

type Witnessed = Pick<ResolvedHardening, 'witness'>;

const LYNIS: PackageQuery = { fact: 'package', key: 'lynis', want: 'present' };

export function witnessNeeds({ witness }: Witnessed): readonly FactQuery[] {
  return witness === undefined ? [] : [LYNIS, { fact: 'lynis', key: 'all' }];
}

export function witnessItems({ witness }: Witnessed): readonly ItemKey[] {
  return witness === undefined ? [] : ['lynis:all', `package:${LYNIS.key}`];
}

/**
 * An independent look before and after the steps that repair controls, or once where nothing is to be repaired and it never
 * looked. Reloads are not waited for: it reads files.
 */
export function withWitness(
  { witness }: Witnessed,
  steps: readonly StepDraft[],
  view: View,
): readonly StepDraft[] {
  const { readings } = view;
  if (witness === undefined || isMissing(view)) return steps;
  if (steps.length === 0 && stateOf(readings, lynisFact, 'all').present) return steps;
  const come = isInstalled(LYNIS.key, readings) ? [] : [install([LYNIS.key], view)];
  const first = steps.length === 0 ? [] : [audit('before', come)];
  return [...come, ...first, ...steps, audit('after', [...come, ...first, ...steps.filter(isChange)])];
}

function isMissing({ readings }: View): boolean {
  if (isInstalled(LYNIS.key, readings)) return false;
  return stateOf(readings, packageFact, LYNIS.key).offer?.version === undefined;
}

/** A reload may become part of another document's. */
function isChange({ operation }: StepDraft): boolean {
  return operation !== reloadUnit.operation && operation !== restartUnit.operation;
}

function audit(when: 'before' | 'after', after: readonly StepDraft[]): StepDraft {
  return {
    id: `lynis:${when}`,
    operation: auditWithLynis.operation,
    params: { when },
    dependsOn: after.map(({ id }) => id),
    reversible: 'yes',
    disruption: 'none',
    summary: `Lynis looks ${when} the change`,
    diff: '',
  };
}

/** Told in the plan as it was, and once a change is verified. */
export function witnessFindings({ witness }: Witnessed, view: View): readonly KindFinding[] {
  if (witness === undefined) return [];
  if (isMissing(view)) return [{ severity: 'warning', message: MISSING, pointer: '/witness' }];
  const state = stateOf(view.readings, lynisFact, 'all');
  if (!state.present) return [];
  return [{ severity: 'info', message: sentence(state), readBack: true }];
}

const MISSING =
  "no repository of this host has the package lynis, so Lynis does not look; Debian's main has it";

function sentence({ version = '', before, after }: LynisState): string {
  const name = `Lynis ${version}`.trimEnd();
  if (after === undefined) return `${name} gave no hardening index; its output is in the folder of the run`;
  const change = before === undefined ? '' : `, ${before} before it`;
  return `${name}, a witness that decides nothing, gives the hardening index ${after} after the last change${change}`;
}
