import type { ItemKey } from '../facts/fact.ts';
import { hostDigest } from '../plan/digest.ts';
import type { HostPlan, Step } from '../plan/step.ts';
import { ignoredOf, ignoresStep } from './ignored.ts';

/** What must be known beside the plan before something is put back by itself. */
export interface Grounds {
  readonly document: string;
  /** Patterns of the document. */
  readonly ignore: readonly string[];
  /** Whether the item was in force on the host as the branch wants it now. */
  readonly wasInForce: (host: string, item: ItemKey) => boolean;
  /** Left out: only what puts back is taken. */
  readonly maintenance?: DeclaredWork;
  /** Why nothing may be done on a host at all; undefined where it may. */
  readonly hindrance: (host: string) => string | undefined;
}

/** Work that a document declares to be done by itself: its merge was the approval. */
export interface DeclaredWork {
  /** What stands for the declaration; it must have been in force, whatever else the steps touch. */
  readonly item: ItemKey;
  readonly reboots: boolean;
}

/** A difference that stays, and why. */
export interface LeftAlone {
  readonly host: string;
  readonly summary: string;
  /** A sentence without its full stop. */
  readonly because: string;
}

export interface Correctable {
  /** Hosts with the steps that may be taken; none without a step. */
  readonly hosts: readonly HostPlan[];
  readonly left: readonly LeftAlone[];
}

/**
 * Which differences of one document may be put back without a person. Only what was in force before, can be undone
 * with certainty, and needs nothing that is left alone. Declared work may be undone as far as it can be, and reboot if
 * the document says so.
 */
export function correctable(plans: readonly HostPlan[], grounds: Grounds): Correctable {
  const judged = plans.map((plan) => judgeHost(plan, grounds));
  return {
    hosts: judged.flatMap(({ plan }) => (plan.steps.length === 0 ? [] : [plan])),
    left: judged.flatMap(({ left }) => left),
  };
}

/**
 * Why nothing of `plans` is put back, without a full stop. A server with an error has no steps, or none that are taken: what
 * differed before may differ still.
 */
export function whyNothing(plans: readonly HostPlan[], left: readonly LeftAlone[]): string {
  const errors = plans.flatMap(({ host, findings }) =>
    findings.filter(({ severity }) => severity === 'error').map(({ message }) => `${host}: ${message}`),
  );
  const kept = left.map(({ host, summary, because }) => `${host}: ${summary}: ${because}`);
  return errors[0] ?? kept[0] ?? 'nothing is left to put back';
}

/**
 * The first server of which something was to be put back that is left to a person by now. `decided`: what would run, as it was decided;
 * `now`: the servers as they were read once more; `taken`: what of that may be put back.
 */
export function firstForPerson(
  decided: readonly HostPlan[],
  now: readonly HostPlan[],
  taken: readonly HostPlan[],
): string | undefined {
  return decided.find(({ host, steps }) => {
    const plan = now.find((each) => each.host === host);
    const differences = steps.filter(({ before }) => Object.keys(before).length > 0);
    if (plan === undefined || differences.length === 0) return false;
    if (plan.findings.some(({ severity }) => severity === 'error')) return true;
    const open = idsOf(taken.find((each) => each.host === host));
    const still = idsOf(plan);
    return differences.some(({ id }) => still.has(id) && !open.has(id));
  })?.host;
}

function idsOf(plan: HostPlan | undefined): ReadonlySet<string> {
  return new Set(plan?.steps.map(({ id }) => id));
}

function judgeHost(plan: HostPlan, grounds: Grounds): { plan: HostPlan; left: readonly LeftAlone[] } {
  const own = plan.steps.filter((step) => isDifference(step, grounds));
  const error = plan.findings.find(({ severity }) => severity === 'error');
  const hindrance = grounds.hindrance(plan.host) ?? (error && `the server has an error: ${error.message}`);
  const objections = new Map(own.map((step) => [step.id, hindrance ?? objection(step, grounds)]));
  const taken = withoutDependents(
    own.filter(({ id }) => objections.get(id) === undefined),
    plan.steps,
  );
  const left = own
    .filter((step) => !taken.includes(step))
    .map(({ host, id, summary }) => ({ host, summary, because: objections.get(id) ?? NEEDS_OTHERS }));
  const steps = taken.length === 0 ? [] : withFollowers(taken, plan.steps);
  return { plan: { ...plan, steps, findings: [], digest: hostDigest(plan.host, steps) }, left };
}

const NEEDS_OTHERS = 'it needs another change first, which is not made by itself';

function isDifference(step: Step, { document, ignore }: Grounds): boolean {
  return step.document === document && Object.keys(step.before).length > 0 && !ignoresStep(step, ignore);
}

function objection(step: Step, { ignore, wasInForce, maintenance }: Grounds): string | undefined {
  const { host, reason, reversible, disruption, before } = step;
  if (reason === 'removal' || reason === 'release')
    return 'it left the YAML; only a pull request takes it away';
  if (reversible === 'no' || (reversible !== 'yes' && maintenance === undefined))
    return 'it could not be undone with certainty, should the correction fail';
  if (disruption === 'failover' || (disruption === 'reboot' && maintenance?.reboots !== true))
    return `it would cause a ${disruption}`;
  const ignored = ignoredOf(step, ignore);
  if (ignored !== undefined) return `it also touches ${ignored}, which the document ignores`;
  const items = maintenance === undefined ? (Object.keys(before) as ItemKey[]) : [maintenance.item];
  return items.every((item) => wasInForce(host, item)) ? undefined : NEVER_IN_FORCE;
}

const NEVER_IN_FORCE =
  'no reading has found it on the server as the branch says it now, so it may be a change that nobody has applied; a pull request applies it';

/** A step that needs one which is not taken is not taken either. */
function withoutDependents(steps: readonly Step[], all: readonly Step[]): readonly Step[] {
  const planned = new Set(all.map(({ id }) => id));
  const taken = new Set(steps.map(({ id }) => id));
  const kept = steps.filter(({ dependsOn }) => dependsOn.every((id) => !planned.has(id) || taken.has(id)));
  return kept.length === steps.length ? kept : withoutDependents(kept, all);
}

/** In the plan's order, with the reloads and restarts that any of them asks for. */
function withFollowers(taken: readonly Step[], all: readonly Step[]): readonly Step[] {
  const ids = new Set(taken.map(({ id }) => id));
  return all.flatMap((step) => {
    if (ids.has(step.id)) return [step];
    const dependsOn = step.dependsOn.filter((id) => ids.has(id));
    const follows = Object.keys(step.before).length === 0 && dependsOn.length > 0;
    return follows ? [Object.freeze({ ...step, dependsOn })] : [];
  });
}
