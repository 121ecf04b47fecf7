import type { UpdatesState } from '../../facts/updates.ts';
import {
  type RebootHost,
  type RestartPatched,
  rebootHost,
  restartPatched,
} from '../../operations/patches.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { PatchRules } from './spec.ts';
import { some } from './words.ts';

export interface Waiting {
  /** Restarted by this document. */
  readonly units: readonly string[];
  /** Left as they are, by the document or by what they are. */
  readonly left: readonly string[];
}

export function waitingUnits({ restarts }: UpdatesState, { restartNever }: PatchRules): Waiting {
  if (restarts.kind !== 'known') return { units: [], left: [] };
  const { units, deferred } = restarts;
  const never = new Set(units.filter((unit) => restartNever.some((pattern) => isOf(unit, pattern))));
  return {
    units: units.filter((unit) => !never.has(unit)),
    left: [...never, ...deferred],
  };
}

const SERVICE = '.service';

/** As `left_alone` of engine/operations/patches.sh: `postgresql.service` is all of `postgresql@*.service` too, which needrestart names. */
export function isOf(unit: string, pattern: string): boolean {
  if (!unit.endsWith(SERVICE)) return false;
  const [name, like] = [unit.slice(0, -SERVICE.length), pattern.replace(/\.service$/, '')];
  return isLike(name, like) || isLike(name, `${like}@*`);
}

/** `*` stands for any text. Each part is looked for once: as a regular expression, ten stars of a pull request would take minutes. */
function isLike(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}

const THEN = 'the services that still use what was replaced then';

/** What an update leaves to be restarted is known only once it is installed, so the step asks the host again. */
export function restartStep(
  state: UpdatesState,
  rules: PatchRules,
  before: readonly string[],
): readonly StepDraft[] {
  const { units } = waitingUnits(state, rules);
  if (rules.restart === 'never' || state.restarts.kind !== 'known') return [];
  const follows = before.some((id) => id.startsWith('patch:upgrade'));
  if (units.length === 0 && !follows) return [];
  const params: RestartPatched = { units, never: rules.restartNever };
  return [
    {
      id: 'patch:restart',
      operation: restartPatched.operation,
      params,
      dependsOn: before,
      reason: 'change',
      reversible: 'yes',
      disruption: 'restart',
      summary: `restarts ${[...(units.length === 0 ? [] : [some(units)]), ...(follows ? [THEN] : [])].join(' and ')}`,
      diff: units.map((unit) => `~ ${unit} still uses what was replaced`).join('\n'),
    },
  ];
}

/** Packages whose update asks for a reboot as a rule: what runs beneath all processes, and dbus, by its postinst. Those of libc6 and systemd do not, on Debian 12. */
const REBOOTS = /^(linux-image-|dbus(:|$)|(intel|amd64)-microcode$)/;

export function rebootStep(
  state: UpdatesState,
  rules: PatchRules,
  before: readonly string[],
): readonly StepDraft[] {
  const follows = before.some((id) => id.startsWith('patch:upgrade'));
  const { required, why } = state.reboot;
  if (rules.reboot === 'never' || !(required || follows)) return [];
  const likely = state.changes.map(({ name }) => name).filter((name) => REBOOTS.test(name));
  const params: RebootHost = { why };
  const reasons = [...why, ...likely];
  return [
    {
      id: 'patch:reboot',
      operation: rebootHost.operation,
      params,
      dependsOn: before,
      reason: 'change',
      reversible: 'yes',
      disruption: 'reboot',
      summary: required
        ? `reboots, for ${some(reasons)}`
        : `reboots if the updates ask for it; ${likely.length === 0 ? 'as a rule none of these does' : `as a rule so do ${some(likely)}`}`,
      diff: kernelLines(state),
    },
  ];
}

function kernelLines({ reboot: { kernelRunning, kernelInstalled } }: UpdatesState): string {
  if (kernelInstalled === undefined || kernelInstalled === kernelRunning) return '';
  return `- kernel ${kernelRunning} runs\n+ kernel ${kernelInstalled} runs`;
}
