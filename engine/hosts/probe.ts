import { setTimeout as sleep } from 'node:timers/promises';
import type { Probe } from '../kinds/kind.ts';
import { HostError } from './host-error.ts';
import { tryCommand } from './probe-command.ts';
import { tryHttp } from './probe-http.ts';
import { tryReach } from './probe-reach.ts';
import { tryTcp } from './probe-tcp.ts';
import type { Session } from './session.ts';

export interface ProbeResult {
  readonly kind: 'probe-result';
  readonly probe: Probe;
  readonly passed: boolean;
  readonly tries: number;
  /** A sentence for people: `GET http://localhost/health answered 502, expected 200, 12 tries in 30 s`. */
  readonly detail: string;
}

/** What one try found; `detail` goes without its count. */
export interface Attempt {
  readonly passed: boolean;
  readonly detail: string;
}

/** One try may take what is left of `withinSeconds`, but no longer than this. */
export const TRY_MAX_MS = 10_000;
/** And no shorter, or the last one would report its own haste instead of what is wrong; so a probe ends at most this late. */
export const TRY_MIN_MS = 1_000;
/** Also for a probe that is told to be tried without a pause. */
const PAUSE_MIN_MS = 100;

/**
 * Tries until the probe passes or its time is over; at least once. Throws `HostError` when the host itself cannot be
 * asked any more (`connection-lost`, `cancelled`); everything else is a result.
 */
export async function runProbe(session: Session, probe: Probe, signal?: AbortSignal): Promise<ProbeResult> {
  const started = performance.now();
  const deadline = started + probe.withinSeconds * 1000;
  let told: string | undefined;
  for (let tries = 1; ; tries += 1) {
    throwIfCancelled(session, signal);
    const begun = performance.now();
    const limit = Math.min(Math.max(deadline - begun, TRY_MIN_MS), TRY_MAX_MS);
    const attempt = await tryOnce(session, probe, limit, signal);
    // one that was cut short tells its own haste; what was answered before it is worth more
    const hasty = limit < TRY_MAX_MS && performance.now() - begun >= limit;
    if (attempt.passed || !hasty || told === undefined) told = attempt.detail;
    const pause = Math.max(probe.everySeconds * 1000, PAUSE_MIN_MS);
    if (attempt.passed || performance.now() + pause > deadline) {
      const detail = `${told}, ${count(tries)} in ${seconds(performance.now() - started)}`;
      return { kind: 'probe-result', probe, passed: attempt.passed, tries, detail };
    }
    await sleep(pause, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

/** All probes of one host at once, results in their order. */
export function runProbes(
  session: Session,
  probes: readonly Probe[],
  signal?: AbortSignal,
): Promise<ProbeResult[]> {
  return Promise.all(probes.map((probe) => runProbe(session, probe, signal)));
}

async function tryOnce(
  session: Session,
  probe: Probe,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Attempt> {
  switch (probe.kind) {
    case 'http':
      return tryHttp(session, probe, timeoutMs);
    case 'tcp':
      return tryTcp(session, probe, timeoutMs);
    case 'reach':
      return tryReach(session, probe, timeoutMs);
    case 'command':
      return tryCommand(session, probe, timeoutMs, signal);
  }
}

function throwIfCancelled(session: Session, signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  const { name } = session.target;
  throw new HostError('cancelled', name, `The probes of ${name} were cancelled.`);
}

function count(tries: number): string {
  return tries === 1 ? '1 try' : `${tries} tries`;
}

function seconds(ms: number): string {
  return `${ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000)} s`;
}

/** For people. */
export function probeName(probe: Probe): string {
  switch (probe.kind) {
    case 'http':
      return probe.url;
    case 'tcp':
      return `tcp ${probe.address}:${probe.port}`;
    case 'reach':
      return `tcp ${probe.address}:${probe.port} ${probe.open ? 'open' : 'closed'} from ${probe.from}`;
    case 'command':
      return `command ${probe.argv.join(' ')}`;
  }
}
