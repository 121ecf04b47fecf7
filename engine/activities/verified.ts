import type { ProbeProgress } from '../github/render/views.ts';
import { HostError } from '../hosts/host-error.ts';
import { isOngoing, isYielding } from '../kinds/registry.ts';
import { removePackages } from '../operations/packages.ts';
import { releaseItem } from '../operations/release.ts';
import type { Finding, Step } from '../plan/step.ts';
import { SecretError } from '../secrets/error.ts';
import type { Assembled } from './assemble.ts';
import type { VerifyDetail } from './runViews.ts';
import type { VerifyOutcome } from './types.ts';

/** What was found by verifying hosts, and what it says of them. */

export type Remaining = VerifyDetail['remaining'];

interface Failure {
  readonly host: string;
  readonly reason: string;
}

/**
 * Which steps of a new plan a run with these steps answers for. A correction answers for its own: what it was to leave alone still
 * differs, and may ask for the same reloads. So does every run for what comes up by itself, such as an update that came out a
 * minute ago. What a document makes way for since the run brought it, or removes since the run stopped it, is for the next plan,
 * unless the run set that itself.
 */
export function answeredFor(own: readonly Step[], correction: boolean): (step: Step) => boolean {
  const steps = new Set(own.map(keyOf));
  const touched = new Set(
    own.flatMap(({ host, before }) => Object.keys(before).map((item) => `${host} ${item}`)),
  );
  const isSet = ({ host, before }: Step) =>
    Object.keys(before).some((item) => touched.has(`${host} ${item}`));
  if (correction) return (step) => Object.keys(step.before).length > 0 && steps.has(keyOf(step));
  return (step) => steps.has(keyOf(step)) || !(isOngoing(step.document) || (takesAway(step) && !isSet(step)));
}

/** For a document whose plan depends on what is in use. */
function takesAway({ document, operation }: Step): boolean {
  return isYielding(document) && [releaseItem.operation, removePackages.operation].includes(operation);
}

function keyOf({ host, id }: Step): string {
  return JSON.stringify([host, id]);
}

/** Of what is known; a host that may come back speaks neither for nor against. */
export function failures(
  probes: readonly ProbeProgress[],
  { problems }: Assembled,
  left: Remaining,
  waited: (cause: unknown) => boolean,
): readonly Failure[] {
  return [
    ...probes
      .filter((probe) => probe.state === 'failed')
      .map(({ host, probe, detail = '' }) => ({
        host,
        reason: `the probe ${probe} failed on ${host}: ${detail}`,
      })),
    ...problems
      .filter(({ cause }) => !waited(cause))
      .map(({ host, message, cause }) => ({
        host,
        reason: `${host} cannot be read: ${message}${isPassing(cause) ? GIVEN_UP : ''}`,
      })),
    ...left.map(({ host, summary }) => ({
      host,
      reason: `planning again would still change ${summary} on ${host}`,
    })),
  ];
}

export function foundNow(
  probes: readonly ProbeProgress[],
  made: Assembled,
  left: Remaining,
  failed: readonly Failure[],
): VerifyDetail {
  return {
    state: failed.length === 0 ? 'verified' : 'failed',
    probes,
    remaining: remainingOf(made, left),
    readBack: readBackOf(made),
  };
}

/** Counters that the probes have moved by now, and scores of what was done. */
function readBackOf({ plan }: Assembled): readonly Finding[] {
  return plan.hosts.flatMap(({ findings }) => findings.filter(({ readBack }) => readBack === true));
}

function remainingOf({ problems }: Assembled, left: Remaining): Remaining {
  return [...left, ...problems.map(({ host, message }) => ({ host, summary: message }))];
}

/** With what was found before on other hosts. */
export function together(before: VerifyDetail, found: VerifyDetail): VerifyDetail {
  const isVerified = before.state === 'verified' && found.state === 'verified';
  return {
    state: isVerified ? 'verified' : 'failed',
    probes: [...before.probes, ...found.probes],
    remaining: [...before.remaining, ...found.remaining],
    readBack: [...(before.readBack ?? []), ...(found.readBack ?? [])],
  };
}

/** Each host is named once, with the first that failed there. */
export function outcomeOf(failed: readonly Failure[]): VerifyOutcome {
  const [first] = failed;
  if (first === undefined) return { kind: 'verified' };
  const hosts = failed.filter(({ host }, i) => failed.findIndex((other) => other.host === host) === i);
  return { kind: 'failed', reason: first.reason, hosts };
}

const GIVEN_UP = ', for as long as DOAAS_HOST_OUTAGE_SECONDS waits';

export function isPassing(error: unknown): boolean {
  return error instanceof SecretError && error.passing;
}

/** `patientTransport` gives up with another error. */
export function mayComeBack(error: unknown): error is HostError {
  return error instanceof HostError;
}
