import type { ProbeProgress } from '../github/render/views.ts';
import { HostError } from '../hosts/host-error.ts';
import type { Finding } from '../plan/step.ts';
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
