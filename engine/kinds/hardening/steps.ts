import { homesFact } from '../../facts/homes.ts';
import { modeFact } from '../../facts/mode.ts';
import { pathFact } from '../../facts/path.ts';
import { sysctlFact } from '../../facts/sysctl.ts';
import { unitFact } from '../../facts/unit.ts';
import { closeHomes } from '../../operations/homes.ts';
import { setMode } from '../../operations/mode.ts';
import { setPamProfile } from '../../operations/pamProfile.ts';
import { setSysctl } from '../../operations/sysctl.ts';
import { reloadUnit, restartUnit, setUnit } from '../../operations/units.ts';
import type { StepDraft } from '../../plan/step.ts';
import { attributeDiff } from '../configuration/diff.ts';
import { stateOf } from '../readings.ts';
import type { Control, EditedFileName, ModeWish, PamWish, SysctlWish, UnitWish } from './control.ts';
import { isApplicable, type Judged } from './judge.ts';
import { OWN_FILES, SSHD_FILE } from './ownFiles.ts';
import { packageSteps } from './packageSteps.ts';
import type { View } from './view.ts';
import { isProfile, openHomes, sysctlValue, wantedMode } from './wants/items.ts';
import { isWritten, sshPortsOf, textsOf } from './wants/lines.ts';
import { EDITED_FILES, editedText } from './wants/setting.ts';
import { isSshdWritten, sshdText } from './wants/ssh.ts';
import { fileStep } from './wants/text.ts';

/** What a step does beside its own fields. */
const PLAIN = { dependsOn: [], reversible: 'yes', disruption: 'none' } as const;

/** Steps that repair what failed: packages first, since others are about their files; ways in last. */
export function hardeningSteps(judged: readonly Judged[], view: View): readonly StepDraft[] {
  const failed = judged.filter(({ verdict }) => verdict.kind === 'failed');
  const packages = packageSteps(failed, view);
  const after = packages.map(({ id }) => id);
  return [
    ...packages,
    ...failed.flatMap((one) => itemSteps(one, view)),
    ...ownFileSteps(judged, view, after),
    ...failed.flatMap(({ control, wants }) =>
      wants.kind === 'unit' ? [unitStep(control, wants, view)] : [],
    ),
    ...editSteps(failed, view, after),
    ...failed.flatMap(({ wants }) => (wants.kind === 'pam' ? pamSteps(wants, view, after) : [])),
    ...sshdSteps(judged, view),
  ];
}

function itemSteps({ control, wants }: Judged, view: View): readonly StepDraft[] {
  switch (wants.kind) {
    case 'sysctl':
      return [sysctlStep(wants, view)];
    case 'mode':
      return [modeStep(control, wants, view)];
    case 'homes':
      return [homesStep(view)];
    default:
      return [];
  }
}

function sysctlStep(wish: SysctlWish, { readings }: View): StepDraft {
  const { key, atBoot } = wish;
  const now = stateOf(readings, sysctlFact, key);
  const runtime = now.present ? now.runtime : undefined;
  const value = sysctlValue(wish, runtime ?? '');
  const before = { now: runtime, 'at boot': now.present ? now.persisted : undefined };
  const step = { ...PLAIN, id: `sysctl:${key}`, operation: setSysctl.operation };
  if (atBoot)
    return {
      ...step,
      params: { key, value, atBoot },
      reversible: 'best-effort',
      summary: `${key} = ${value} from the next boot on; the undo then needs another one, since the kernel does not take it back`,
      diff: attributeDiff(before, { 'at boot': value }),
    };
  return {
    ...step,
    params: { key, value },
    summary: runtime === value ? `${key} = ${value} at boot` : `${key} ${runtime} -> ${value}`,
    diff: attributeDiff(before, { now: value, 'at boot': value }),
  };
}

function modeStep({ id }: Control, wish: ModeWish, { readings }: View): StepDraft {
  const now = stateOf(readings, modeFact, wish.path);
  if (!now.present) throw new Error(`${wish.path} is not there, so its mode cannot have failed`);
  const want = wantedMode(wish, now);
  const { mode, owner, group } = now;
  const words = attributeDiff({ mode, owner, group }, want);
  return {
    ...PLAIN,
    id: `mode:${wish.path}`,
    operation: setMode.operation,
    params: { path: wish.path, ...want },
    summary: `${wish.path} ${mode} ${owner}:${group} -> ${want.mode} ${want.owner}:${want.group} (${id})`,
    diff: words,
  };
}

function unitStep({ id }: Control, { unit, running }: UnitWish, { readings }: View): StepDraft {
  const { active, file } = stateOf(readings, unitFact, unit);
  const enabled = running && (file === 'static' || file === 'generated') ? null : running;
  return {
    ...PLAIN,
    id: `unit:${unit}`,
    operation: setUnit.operation,
    params: { unit, content: null, enabled, running },
    disruption: running ? 'none' : 'restart',
    summary: `${unit} ${running ? 'runs, also after a reboot' : 'is stopped and disabled'} (${id})`,
    diff: attributeDiff(
      { running: active ? 'yes' : 'no', 'at boot': file },
      { running: running ? 'yes' : 'no', 'at boot': running ? 'enabled' : 'disabled' },
    ),
  };
}

function homesStep({ readings }: View): StepDraft {
  const open = openHomes(readings);
  return {
    ...PLAIN,
    id: `${homesFact.fact}:all`,
    operation: closeHomes.operation,
    params: { paths: open.map(({ path }) => path) },
    summary: `${open.length === 1 ? '1 home folder is' : `${open.length} home folders are`} closed to others (home-folders)`,
    diff: open.map(({ path, mode }) => `- ${path} ${mode}`).join('\n'),
  };
}

function ownFileSteps(judged: readonly Judged[], view: View, after: readonly string[]): readonly StepDraft[] {
  const applying = judged.filter(isApplicable);
  const started = judged.flatMap(({ wants, verdict }) =>
    wants.kind === 'unit' && wants.running && verdict.kind === 'failed' ? [wants.unit] : [],
  );
  return [...textsOf(applying, sshPortsOf(view))].flatMap(([name, text]) => {
    if (isWritten(name, text, view)) return [];
    const file = OWN_FILES[name];
    const of = applying.flatMap(({ control, wants }) =>
      wants.kind === 'lines' && wants.file === name ? [control.id] : [],
    );
    const placed = { ...file, owner: 'root', group: 'root' };
    const now = stateOf(view.readings, pathFact, file.path);
    const step = fileStep(placed, text, now, [of, file.package === undefined ? [] : after]);
    return [step, ...(file.notify === undefined ? [] : notifySteps(file.notify, [step.id], view, started))];
  });
}

/** Who does not run reads its file when it is started; who comes with a package of the plan may have been started before. */
function notifySteps(
  { unit, verb }: { readonly unit: string; readonly verb: 'reload' | 'restart' },
  steps: readonly string[],
  { readings }: View,
  started: readonly string[] = [],
): readonly StepDraft[] {
  const starts = started.includes(unit);
  if (!starts && !stateOf(readings, unitFact, unit).active) return [];
  return [
    {
      ...PLAIN,
      id: `unit.${verb}:${unit}`,
      operation: verb === 'reload' ? reloadUnit.operation : restartUnit.operation,
      params: { unit },
      dependsOn: [...steps, ...(starts ? [`unit:${unit}`] : [])],
      disruption: verb,
      summary: `${unit} ${verb}s`,
      diff: '',
    },
  ];
}

function editSteps(failed: readonly Judged[], view: View, after: readonly string[]): readonly StepDraft[] {
  return (Object.keys(EDITED_FILES) as EditedFileName[]).flatMap((name) => {
    const mine = failed.filter(({ wants }) => wants.kind === 'setting' && wants.file === name);
    const { path } = EDITED_FILES[name];
    const now = mine.length === 0 ? undefined : stateOf(view.readings, pathFact, path);
    if (now?.type !== 'file') return [];
    const { mode, owner, group } = now;
    const of = mine.map(({ control }) => control.id);
    return [
      fileStep({ path, mode, owner, group, reader: 'none' }, editedText(name, mine, view), now, [of, after]),
    ];
  });
}

function pamSteps({ profiles }: PamWish, { readings }: View, after: readonly string[]): readonly StepDraft[] {
  return Object.entries(profiles)
    .filter(([name, text]) => !isProfile(name, text, readings))
    .map(([name, text]) => ({
      ...PLAIN,
      id: `pam-profile:${name}`,
      operation: setPamProfile.operation,
      params: { name, text },
      dependsOn: after,
      summary: `PAM: ${/^Name: (.*)$/m.exec(text)?.[1] ?? name}`,
      diff: text
        .trimEnd()
        .split('\n')
        .map((line) => `+ ${line}`)
        .join('\n'),
    }));
}

function sshdSteps(judged: readonly Judged[], view: View): readonly StepDraft[] {
  const applying = judged.filter((one) => one.verdict.kind === 'passed' || one.verdict.kind === 'failed');
  const text = sshdText(applying, view);
  if (text === undefined || isSshdWritten(text, view)) return [];
  const file = { path: SSHD_FILE, mode: '0600', owner: 'root', group: 'root', reader: 'sshd' } as const;
  const of = applying.flatMap(({ control, verdict }) =>
    control.group === 'ssh' && verdict.kind === 'failed' && !control.id.startsWith('mode-')
      ? [control.id]
      : [],
  );
  const step = fileStep(file, text, stateOf(view.readings, pathFact, SSHD_FILE), [of, []]);
  return [step, ...notifySteps({ unit: 'ssh.service', verb: 'reload' }, [step.id], view)];
}
