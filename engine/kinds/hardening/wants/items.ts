import type { Readings } from '../../../facts/fact.ts';
import { homesFact } from '../../../facts/homes.ts';
import { modeFact } from '../../../facts/mode.ts';
import { packageFact } from '../../../facts/package.ts';
import { pamProfileFact } from '../../../facts/pamProfile.ts';
import { sysctlFact } from '../../../facts/sysctl.ts';
import { unitFact } from '../../../facts/unit.ts';
import { stateOf } from '../../readings.ts';
import type {
  ModeWish,
  MountWish,
  PackageWish,
  PamWish,
  SurveyWish,
  SysctlWish,
  UnitWish,
} from '../control.ts';
import { some } from '../probes.ts';
import { attention, FAILED, notApplicable, PASSED, passedIf, type Verdict, type View } from '../view.ts';
import { sha256Of } from './text.ts';

export function judgeSysctl(wish: SysctlWish, { readings }: View): Verdict {
  const { key, value, also = [], atBoot = false } = wish;
  const now = stateOf(readings, sysctlFact, key);
  if (!now.present) return notApplicable('this kernel does not have the setting');
  if (!now.writable) return notApplicable('the setting cannot be written, as in a container');
  if (atBoot) return passedIf(now.persisted === value);
  return passedIf(sysctlValue({ value, also }, now.runtime) === now.runtime && now.persisted === now.runtime);
}

/** One that is as good stays as it is. */
export function sysctlValue({ value, also = [] }: Pick<SysctlWish, 'value' | 'also'>, now: string): string {
  return also.includes(now) ? now : value;
}

export function judgeMode(wish: ModeWish, { readings }: View): Verdict {
  const now = stateOf(readings, modeFact, wish.path);
  if (!now.present) return notApplicable(`there is no ${wish.path}, or it is a link`);
  const want = wantedMode(wish, now);
  return passedIf(want.mode === now.mode && want.owner === now.owner && want.group === now.group);
}

/** No permission is added but the bits of `least`. */
export function wantedMode(
  { most, groups, least = '0' }: ModeWish,
  now: { readonly mode: string; readonly group: string },
) {
  const bits = (Number.parseInt(now.mode, 8) & Number.parseInt(most, 8)) | Number.parseInt(least, 8);
  const group = groups.includes(now.group) ? now.group : groups[0];
  return { mode: bits.toString(8).padStart(4, '0'), owner: 'root', group };
}

export function judgePackage(wish: PackageWish, { readings }: View): Verdict {
  const { names, state } = wish;
  const there = names.filter((name) => isInstalled(name, readings));
  if (state === 'absent') return there.length === 0 ? PASSED : judgeRemoval(wish, there, readings);
  if (there.length === names.length) return PASSED;
  const unknown = names.filter((name) => isUnknown(name, readings));
  return unknown.length === 0
    ? FAILED
    : attention(`no repository of this host has ${some(unknown)}: add one that does`);
}

/** What is in use is nobody's to take away but a person's. */
function judgeRemoval({ units = [] }: PackageWish, there: readonly string[], readings: Readings): Verdict {
  const running = units.filter((unit) => stateOf(readings, unitFact, unit).active);
  return running.length === 0
    ? FAILED
    : attention(
        `${some(there)} stays while ${some(running)} runs: waive this where the server is meant to have it, else stop and disable it, and the next plan removes it`,
      );
}

export function isInstalled(name: string, readings: View['readings']): boolean {
  const state = stateOf(readings, packageFact, name);
  return state.present || state.broken !== undefined;
}

/** Lists that nobody read yet may have it. */
function isUnknown(name: string, readings: View['readings']): boolean {
  const { present, offer } = stateOf(readings, packageFact, name);
  return !present && offer !== undefined && offer.version === undefined && listsAreRead(readings);
}

function listsAreRead(readings: View['readings']): boolean {
  return [...readings.values()].some(
    ({ query, state }) =>
      query.fact === packageFact.fact &&
      (state as { transaction?: { listsAgeSeconds?: number } }).transaction?.listsAgeSeconds !== undefined,
  );
}

export function judgeUnit(wish: UnitWish, { readings, installs }: View): Verdict {
  const { unit, running, unless = [] } = wish;
  if (unless.some((other) => stateOf(readings, unitFact, other).active)) return PASSED;
  const now = stateOf(readings, unitFact, unit);
  if (now.load === 'no-systemd') return notApplicable('systemd does not run here');
  const enabled = now.file === 'enabled' || now.file === 'alias';
  if (!running) return passedIf(!now.active && !enabled);
  const brought = wish.package !== undefined && installs.has(wish.package);
  if (wish.package !== undefined && !brought && !isInstalled(wish.package, readings))
    return notApplicable(`${wish.package} is not installed`);
  if (!now.present)
    return brought ? FAILED : attention(`there is no ${unit}, nor one that does the same: install one`);
  return passedIf(now.active && (enabled || now.file === 'static' || now.file === 'generated'));
}

export function judgePam({ profiles }: PamWish, { readings }: View): Verdict {
  return passedIf(Object.entries(profiles).every(([name, text]) => isProfile(name, text, readings)));
}

export function isProfile(name: string, text: string, readings: View['readings']): boolean {
  const now = stateOf(readings, pamProfileFact, name);
  return now.enabled && now.sha256 === sha256Of(text);
}

/** Only who made a mount can say how it is to be at the next boot; fstab tells whether the host did. */
export function judgeMount({ path, options }: MountWish, { survey }: View): Verdict {
  const now = survey.mounts[path];
  if (now === undefined) return notApplicable(`${path} is no mount of its own`);
  const missing = options.filter((option) => !now.includes(option));
  if (missing.length === 0) return PASSED;
  const where = survey.fstab.includes(path) ? `its line in /etc/fstab` : `a line for it in /etc/fstab`;
  return attention(
    `${path} is mounted without ${missing.join(', ')}: add them to ${where} and run mount -o remount ${path}`,
  );
}

export function judgeHomes({ readings }: View): Verdict {
  return passedIf(openHomes(readings).length === 0);
}

/** Homes that others may look into, or a group may write to. */
export function openHomes(
  readings: View['readings'],
): readonly { readonly path: string; readonly mode: string }[] {
  return stateOf(readings, homesFact, 'all').homes.filter(
    ({ mode }) => (Number.parseInt(mode, 8) & 0o027) !== 0,
  );
}

const SEARCHED: readonly string[] = ['suid', 'writable', 'unowned'];

export function judgeSurvey({ nothing, except = [], advice }: SurveyWish, { survey }: View): Verdict {
  const found = nothing
    .flatMap((name) => survey.found[name] ?? [])
    .filter((thing) => !except.includes(thing));
  if (found.length > 0) return attention(`found ${some(found)}: ${advice}`);
  if (survey.cut?.some((name) => nothing.includes(name)) === true)
    return attention('more was found than is told, so others may be among it: look on the host');
  return survey.incomplete && nothing.some((name) => SEARCHED.includes(name))
    ? attention('the search through system folders took too long to say: try again when the host is idle')
    : PASSED;
}
