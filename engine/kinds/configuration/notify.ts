import type { FactQuery, Readings } from '../../facts/fact.ts';
import { type UnitState, unitFact } from '../../facts/unit.ts';
import { reloadUnit, restartUnit } from '../../operations/units.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { Notify, ResolvedConfiguration } from '../../spec/configuration.ts';
import { nearestName } from '../../spec/nearest.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { joined, remark, steps } from './outcome.ts';
import { packagesPending } from './packages.ts';
import { runningUnitsWithNewText } from './units.ts';

interface Action {
  readonly verb: 'reload' | 'restart';
  /** Steps that it follows. */
  readonly after: readonly string[];
}

/** Units that may have to be reloaded or restarted. */
export function notifyNeeds(spec: ResolvedConfiguration): readonly FactQuery[] {
  const units = notifiers(spec).flatMap(({ notify }) => [...notify.reload, ...notify.restart]);
  return [...new Set(units)].map((key) => ({ fact: 'unit', key }));
}

/** One step for each unit that has to notice what the steps change; a restart makes a reload needless. */
export function planNotify(
  spec: ResolvedConfiguration,
  readings: Readings,
  changes: readonly StepDraft[],
): KindPlan {
  const actions = new Map<string, Action>();
  const add = (unit: string, verb: Action['verb'], step: string): void => {
    const known = actions.get(unit);
    const restart = verb === 'restart' || known?.verb === 'restart';
    actions.set(unit, { verb: restart ? 'restart' : 'reload', after: [...(known?.after ?? []), step] });
  };
  const ids = new Set(changes.map((step) => step.id));
  for (const { id, notify } of notifiers(spec).filter((one) => ids.has(one.id))) {
    for (const unit of notify.reload) add(unit, 'reload', id);
    for (const unit of notify.restart) add(unit, 'restart', id);
  }
  for (const unit of runningUnitsWithNewText(spec, readings)) add(unit, 'restart', `unit:${unit}`);
  return joined(
    [...actions].map(([unit, action]) =>
      planAction(unit, action, stateOf(readings, unitFact, unit), spec, readings, ids),
    ),
  );
}

function notifiers(spec: ResolvedConfiguration): readonly { readonly id: string; readonly notify: Notify }[] {
  const of = (items: Readonly<Record<string, { readonly notify: Notify }>>, prefix: string) =>
    Object.entries(items).map(([path, { notify }]) => ({ id: `${prefix}:${path}`, notify }));
  // A directory that is removed has a step named as a file's.
  return [...of(spec.files, 'file'), ...of(spec.directories, 'directory'), ...of(spec.directories, 'file')];
}

function planAction(
  unit: string,
  action: Action,
  now: UnitState,
  spec: ResolvedConfiguration,
  readings: Readings,
  ids: ReadonlySet<string>,
): KindPlan {
  const wanted = spec.units[unit];
  if (wanted?.state === 'absent' || (wanted?.state === 'present' && wanted.running === false))
    return joined([]);
  if (now.present && !now.active) {
    if (ids.has(`unit:${unit}`)) return joined([]);
    return info(`${unit} does not run, so there is nothing to ${action.verb}`);
  }
  if (!now.present && !packagesPending(readings)) {
    if (ids.has(`unit:${unit}`)) return joined([]);
    return joined([{ steps: [], findings: remark('warning', unknownUnit(unit, action, spec)) }]);
  }
  if (action.verb === 'reload' && now.active && !now.canReload)
    return joined([
      steps(draft(unit, { ...action, verb: 'restart' })),
      info(`${unit} cannot be reloaded, so it is restarted`),
    ]);
  return steps(draft(unit, action));
}

/** Most likely a misspelt name: what changed would then not be noticed by the one that is meant. */
function unknownUnit(unit: string, { verb }: Action, spec: ResolvedConfiguration): string {
  const meant = nearestName(unit, Object.keys(spec.units));
  const advice = meant === undefined ? 'check its name' : `did you mean ${JSON.stringify(meant)}?`;
  return `there is no unit ${unit} on this host, so nothing is ${verb === 'reload' ? 'reloaded' : 'restarted'}; ${advice}`;
}

function draft(unit: string, { verb, after }: Action): StepDraft {
  return {
    id: `unit.${verb}:${unit}`,
    operation: verb === 'reload' ? reloadUnit.operation : restartUnit.operation,
    params: { unit },
    dependsOn: [...new Set(after)],
    reversible: 'yes',
    disruption: verb,
    summary: `${unit} ${verb === 'reload' ? 'reloads' : 'restarts'}`,
    diff: '',
  };
}

function info(message: string): KindPlan {
  return { steps: [], findings: remark('info', message) };
}
