import type { Readings } from '../../facts/fact.ts';
import { type PathState, pathFact } from '../../facts/path.ts';
import { type UnitState, unitFact } from '../../facts/unit.ts';
import { removeUnit, setUnit, UNIT_DIR } from '../../operations/units.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { Payload, ResolvedConfiguration, ResolvedUnit } from '../../spec/configuration.ts';
import type { KindPlan, Payloads } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { attributeDiff, unifiedDiff } from './diff.ts';
import { pointerTo } from './files.ts';
import { joined, problem, steps } from './outcome.ts';
import { packagesPending } from './packages.ts';
import type { Section } from './section.ts';
import { idleTimer, serviceOf, writesTimer } from './timers.ts';

type Wanted = Extract<ResolvedUnit, { state: 'present' }>;

/** What others start comes first: systemd looks at a timer's service when it reads the timer. */
const ORDER = ['slice', 'target', 'mount', 'service', 'socket', 'path', 'timer'];

/** systemd units: text, enabled, running. */
export const unitsSection: Section = {
  section: 'units',
  claims: (spec) =>
    Object.entries(spec.units).flatMap(([name, want]) => {
      const pointer = pointerTo('units', name);
      const path = `path:${UNIT_DIR}/${name}` as const;
      return [
        { item: `unit:${name}` as const, pointer },
        ...(writesFile(want) ? [{ item: path, pointer }] : []),
      ];
    }),
  needs: (spec) =>
    Object.entries(spec.units).flatMap(([key, want]) => [
      { fact: 'unit', key },
      ...(writesTimer(key, want) ? [{ fact: 'unit' as const, key: serviceOf(key) }] : []),
      ...(writesFile(want) ? [{ fact: 'path', key: `${UNIT_DIR}/${key}`, ...unless(want) }] : []),
    ]),
  plan: (spec, readings, payloads) =>
    joined(
      Object.entries(spec.units)
        .sort(([a], [b]) => rank(a) - rank(b))
        .map(([name, want]) => planUnit(name, want, spec, readings, payloads)),
    ),
};

/** Units whose text changes while they run: they keep the old one until they are restarted. */
export function runningUnitsWithNewText(spec: ResolvedConfiguration, readings: Readings): readonly string[] {
  return Object.entries(spec.units).flatMap(([name, want]) => {
    if (want.state === 'absent' || want.content === undefined || want.running === false) return [];
    const { active } = stateOf(readings, unitFact, name);
    return active && !hasText(want.content, fileOf(name, readings)) ? [name] : [];
  });
}

function writesFile(want: ResolvedUnit): boolean {
  return want.state === 'absent' || want.content !== undefined;
}

function unless(want: ResolvedUnit) {
  return want.state === 'present' && want.content !== undefined ? { unlessSha256: want.content.sha256 } : {};
}

function rank(name: string): number {
  return ORDER.indexOf(name.slice(name.lastIndexOf('.') + 1));
}

function fileOf(name: string, readings: Readings): PathState {
  return stateOf(readings, pathFact, `${UNIT_DIR}/${name}`);
}

function planUnit(
  name: string,
  want: ResolvedUnit,
  spec: ResolvedConfiguration,
  readings: Readings,
  payloads: Payloads,
): KindPlan {
  const now = stateOf(readings, unitFact, name);
  if (now.load === 'no-systemd')
    return problem(`${name}: systemd does not run on this host, so units are not applicable here`);
  if (want.state === 'absent') return planAbsent(name, now, fileOf(name, readings));
  const text = want.content === undefined ? undefined : textOf(want.content, payloads);
  const objection = objectionTo(name, want, now, text, spec, readings);
  if (objection !== undefined) return problem(objection);
  const file: PathState =
    want.content === undefined ? { type: 'absent', present: false } : fileOf(name, readings);
  const diff = differences(name, want, now, file, text);
  const idle =
    text === undefined || bringsUnit(serviceOf(name), spec, readings)
      ? joined([])
      : idleTimer(name, text, spec, readings);
  return diff === '' ? idle : joined([steps(set(name, want, now, file, diff)), idle]);
}

/** Why what is asked cannot be, as far as it can be told beforehand. */
function objectionTo(
  name: string,
  want: Wanted,
  now: UnitState,
  text: string | undefined,
  spec: ResolvedConfiguration,
  readings: Readings,
): string | undefined {
  if (want.content === undefined) {
    if (!now.present && !bringsUnit(name, spec, readings))
      return `there is no unit ${name} on this host: give its content, or the package that brings it`;
    if (now.load === 'masked' && (want.enabled === true || want.running === true))
      return `${name} is masked on this host: unmask it there first (systemctl unmask ${name})`;
    if (want.enabled === true && ['static', 'generated', 'transient'].includes(now.file))
      return `${name} is ${now.file}: it has no [Install] section, so it cannot be enabled; leave out \`enabled\``;
  }
  if (want.enabled === true && text !== undefined && !/^\[Install\]\s*$/m.test(text))
    return `${name}: its text has no [Install] section, so it cannot be enabled; add one such as WantedBy=multi-user.target, or leave out \`enabled\``;
  if (want.running === true && endsByItself(now, text))
    return `${name} is a oneshot service, which ends by itself: leave out \`running\`, or set RemainAfterExit=yes`;
  return undefined;
}

function endsByItself(now: UnitState, text: string | undefined): boolean {
  if (text === undefined) return now.type === 'oneshot' && !now.remains;
  return (
    /^[ \t]*Type[ \t]*=[ \t]*oneshot[ \t]*$/m.test(text) &&
    !/^[ \t]*RemainAfterExit[ \t]*=[ \t]*(yes|true|on|1)[ \t]*$/m.test(text)
  );
}

/** A package or a file of the same plan may bring it. */
function bringsUnit(name: string, spec: ResolvedConfiguration, readings: Readings): boolean {
  return packagesPending(readings) || Object.keys(spec.files).some((path) => path.endsWith(`/${name}`));
}

function differences(
  name: string,
  want: Wanted,
  now: UnitState,
  file: PathState,
  text: string | undefined,
): string {
  return [
    want.content === undefined || hasText(want.content, file) ? '' : textDiff(name, file, text),
    want.content === undefined || !file.present ? '' : attributes(file),
    switched('enabled', 'disabled', want.enabled, isEnabled(now)),
    switched('running', 'stopped', want.running, isRunning(now)),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function hasText(content: Payload, file: PathState): boolean {
  return file.type === 'file' && file.sha256 === content.sha256;
}

function attributes(file: PathState): string {
  if (file.type !== 'file') return '';
  const { mode, owner, group } = file;
  return attributeDiff({ mode, owner, group }, { mode: '0644', owner: 'root', group: 'root' });
}

function textDiff(name: string, file: PathState, text: string | undefined): string {
  const before = file.type === 'file' ? Buffer.from(file.content ?? '', 'base64').toString('utf8') : '';
  return unifiedDiff(`${UNIT_DIR}/${name}`, before, text ?? '').text;
}

function textOf(content: Payload, payloads: Payloads): string | undefined {
  const bytes = payloads.get(content.sha256);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

function isEnabled(now: UnitState): boolean {
  return now.file === 'enabled' || now.file === 'alias';
}

/** One that starts and fails over and over is `activating`, and not running. */
function isRunning(now: UnitState): boolean {
  return now.activity === 'active' || now.activity === 'reloading';
}

function switched(on: string, off: string, want: boolean | undefined, now: boolean): string {
  if (want === undefined || want === now) return '';
  return `- ${now ? on : off}\n+ ${want ? on : off}`;
}

function set(name: string, want: Wanted, now: UnitState, file: PathState, diff: string): StepDraft {
  const text = want.content !== undefined && !hasText(want.content, file);
  const parts = [
    ...(text ? [file.present ? 'new text' : 'new unit'] : []),
    ...(want.enabled === undefined || want.enabled === isEnabled(now)
      ? []
      : [want.enabled ? 'enabled' : 'disabled']),
    ...(want.running === undefined || want.running === isRunning(now)
      ? []
      : [want.running ? 'started' : 'stopped']),
  ];
  return {
    id: `unit:${name}`,
    operation: setUnit.operation,
    params: {
      unit: name,
      content: want.content?.sha256 ?? null,
      enabled: want.enabled ?? null,
      running: want.running ?? null,
    },
    dependsOn: [],
    reversible: 'yes',
    disruption: want.running === false && isRunning(now) ? 'restart' : 'none',
    summary: `${name} ${parts.join(', ') || 'file attributes'}`,
    diff,
  };
}

function planAbsent(name: string, now: UnitState, file: PathState): KindPlan {
  if (!file.present && !now.present) return joined([]);
  if (!file.present)
    return problem(
      `${name} comes from ${now.fragment || 'elsewhere'}, which the engine does not remove: make its package absent, or set enabled: false and running: false`,
    );
  return steps({
    id: `unit:${name}`,
    operation: removeUnit.operation,
    params: { unit: name },
    dependsOn: [],
    reversible: 'yes',
    disruption: now.active ? 'restart' : 'none',
    summary: `${name} removed${now.active ? ', it is stopped' : ''}`,
    diff: `- ${UNIT_DIR}/${name}${isEnabled(now) ? '\n- enabled' : ''}${now.active ? '\n- running' : ''}`,
  });
}
