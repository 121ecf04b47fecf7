import type { Disruption } from '../../operations/operation.ts';
import type { HostPlan, Plan, Step, StepReason } from '../../plan/step.ts';
import { oneLine } from './escape.ts';
import { changeRows } from './rows.ts';

/** `1 change`, `3 changes` */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

/** Names shown before `and N more`. */
const NAMES_SHOWN = 3;

export function names(all: readonly string[]): string {
  const shown = all.slice(0, NAMES_SHOWN);
  const rest = all.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
  return shown.length < 2 ? shown.join() : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

export function seconds(value: number | undefined): string {
  if (value === undefined) return '';
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`;
}

/** UTC, whole minutes: `2026-11-26 12:03 UTC`. A text that is read later is still true. */
export function minute(epochMs: number | undefined): string {
  return epochMs === undefined ? '' : `${new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Enough of a digest or SHA to tell two apart in one pull request; commands take the whole or this. */
const SHORT = 8;

export function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, SHORT);
}

const VERBS: Readonly<Record<Disruption, string>> = {
  none: '',
  reload: 'reloads',
  restart: 'restarts',
  failover: 'fails over',
  reboot: 'reboots',
};
const WORST_FIRST: readonly Disruption[] = ['reboot', 'failover', 'restart', 'reload'];

/** `3 changes on 2 servers; nginx reloads; fully reversible` */
export function planTitle(plan: Plan): string {
  const steps = plan.hosts.flatMap((host) => host.steps);
  if (steps.length === 0) return 'Nothing is done on servers; only their own documents change';
  const hosts = plan.hosts.filter((host) => host.steps.length > 0).length;
  const changes = plan.hosts.reduce((sum, host) => sum + changeRows(host.steps).length, 0);
  const parts = [
    `${count(changes, 'change')} on ${count(hosts, 'server')}`,
    disturbs(plan.hosts),
    undo(steps),
  ];
  return oneLine(parts.filter((part) => part !== '').join('; '));
}

function disturbs(hosts: readonly HostPlan[]): string {
  const phrases = WORST_FIRST.flatMap((disruption) => {
    const who = [
      ...new Set(hosts.flatMap((host) => host.steps.filter((s) => s.disruption === disruption).map(subject))),
    ];
    if (who.length === 0) return [];
    const verb = who.length === 1 ? VERBS[disruption] : plural(VERBS[disruption]);
    return [`${names(who)} ${verb}`];
  });
  return phrases.length === 0 ? 'nothing is interrupted' : phrases.join(', ');
}

function plural(verb: string): string {
  return verb.replace(/^fails/, 'fail').replace(/s$/, '');
}

/** The unit that is disturbed, without `.service`; a reboot or an unknown one is the server's. */
function subject(step: Step): string {
  const unit = step.params.unit ?? unitOf(Object.keys(step.before));
  return typeof unit === 'string' && step.disruption !== 'reboot'
    ? unit.replace(/\.service$/, '')
    : step.host;
}

function unitOf(items: readonly string[]): string | undefined {
  return items.find((item) => item.startsWith('unit:'))?.slice('unit:'.length);
}

function undo(steps: readonly Step[]): string {
  const never = steps.filter((step) => step.reversible === 'no').length;
  const partly = steps.filter((step) => step.reversible === 'best-effort').length;
  if (never > 0) return `${count(never, 'change')} cannot be undone`;
  return partly > 0 ? `${count(partly, 'change')} undone only as far as possible` : 'fully reversible';
}

/** Said beside a change that the pull request's text alone does not explain. */
export const REASONS: Readonly<Record<StepReason, string>> = {
  change: '',
  adoption: 'adoption: it was there before, the engine takes it over',
  drift: 'drift: changed on the server, not by this pull request',
  removal: 'removal: it left the YAML, the engine had created it',
  release: 'release: it left the YAML, it is put back as it was found',
};

export function joined(...blocks: readonly string[]): string {
  return joinedBy('\n\n', ...blocks);
}

export function joinedBy(separator: string, ...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(separator);
}
