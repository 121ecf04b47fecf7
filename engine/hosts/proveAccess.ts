import { setTimeout as sleep } from 'node:timers/promises';
import type { Probe } from '../kinds/kind.ts';
import type { Net } from '../operations/batch.ts';
import { confirmBatch, type Verdict, verdictOf } from './confirmBatch.ts';
import { HostError, messageOf } from './host-error.ts';
import { type ProbeResult, runProbe } from './probe.ts';
import type { Session, Transport } from './session.ts';
import type { HostTarget } from './target.ts';

/** After its time the host takes the run back; so long is waited to hear that it has begun to. Seconds. */
const HEARD_WITHIN_SECONDS = 90;

/** Between two tries; each waits twice as long as the one before. ms. */
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 16_000;
/** What was restarted may take so long until it answers; a probe that fails before is tried again. ms. */
const OBEYS_WITHIN_MS = 3_000;
/** Once the time is over, before the first look: the host needs a moment to take the run back. ms. */
const LOOK_MIN_MS = 5_000;
/**
 * Logins that the host may refuse, tries and looks together. fail2ban shuts out whoever fails five times in ten minutes by default, and
 * the one of Hardening no sooner; whoever undoes the run logs in once more, and then waits (refusedLogins.ts). A port that does not answer is no login.
 */
export const REFUSED_MAX = 3;
/** Of these, while the run can still be kept: the rest is for a look. */
const REFUSED_OPEN_MAX = 2;

export interface Access {
  readonly target: HostTarget;
  /** Name of the batch. */
  readonly run: string;
  readonly net: Net;
  /** What must hold before the run is kept. */
  readonly probes: readonly Probe[];
}

/** `because`: what the last try met with, for people. */
export type Proof =
  | { readonly kind: 'confirmed' }
  /** The login works, and this probe failed for all of its own time: the run waits for an undo, or for the host's own. */
  | { readonly kind: 'failing'; readonly probe: Probe; readonly because: string }
  | { readonly kind: 'reverted' | 'unheard'; readonly because: string };

/**
 * Keeps an applied run if a login of somebody who was not connected before still works: pinned host key, the same user, root as ever,
 * and the probes. Where no login works, nothing is done but to wait until the host has taken it back. Never throws `HostError` but `cancelled`.
 */
export async function proveAccess(
  transport: Transport,
  access: Access,
  signal?: AbortSignal,
): Promise<Proof> {
  const begun = performance.now();
  const end = begun + access.net.confirmWithinSeconds * 1000;
  const heardBy = end + HEARD_WITHIN_SECONDS * 1000;
  let [because, refused, looks] = ['', 0, 0];
  for (let tries = 0; ; tries += 1) {
    const open = performance.now() < end;
    const found = await tryOnce(transport, access, open ? end : undefined, signal);
    if (found.verdict === 'confirmed' || found.verdict === 'unguarded') return { kind: 'confirmed' };
    if (found.verdict === 'reverted') return { kind: 'reverted', because };
    if (open) because = found.because;
    else looks += 1;
    if (found.refused) refused += 1;
    const now = performance.now();
    if (found.failing !== undefined && now > begun + OBEYS_WITHIN_MS)
      return { kind: 'failing', probe: found.failing, because };
    const pause = pauseOf({ left: end - now, tries, refused, looks });
    if (now + pause < heardBy) {
      await sleep(pause, undefined, signalled(signal));
      continue;
    }
    // the host gets its time to take the run back before somebody else logs in for it
    await sleep(Math.max(heardBy - now, 0), undefined, signalled(signal));
    return { kind: 'unheard', because };
  }
}

interface Tried {
  /** Of the time within which the run can be kept. ms. */
  readonly left: number;
  readonly tries: number;
  readonly refused: number;
  /** Of the tries, those when that time was over. */
  readonly looks: number;
}

/** Until the next try, ms; `Infinity`: none is left. */
export function pauseOf({ left, tries, refused, looks }: Tried): number {
  if (refused >= REFUSED_MAX) return Infinity;
  if (left <= 0) return Math.min(LOOK_MIN_MS * 2 ** looks, PAUSE_MAX_MS);
  const look = left + LOOK_MIN_MS;
  if (refused >= REFUSED_OPEN_MAX) return look;
  const pause = refused > 0 ? left / 2 : PAUSE_MIN_MS * 2 ** tries;
  return Math.min(pause, PAUSE_MAX_MS, look);
}

interface Found {
  readonly verdict?: Verdict;
  readonly because: string;
  readonly refused?: true;
  readonly failing?: Probe;
}

/** `end`: until when probes may pass; undefined: the time is over, so nothing is proven any more. */
async function tryOnce(
  transport: Transport,
  { target, run, probes }: Access,
  end: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Found> {
  try {
    return await transport.withFreshSession(target, async (session) => {
      if (end === undefined) return { verdict: await verdictOf(session, run), because: '' };
      const failing = await firstFailing(session, probes, end, signal);
      if (failing !== undefined) return { because: failing.detail, failing: failing.probe };
      return { verdict: await confirmBatch(session, run), because: '' };
    });
  } catch (error) {
    if (error instanceof HostError && error.type === 'cancelled') throw error;
    const because = messageOf(error);
    return error instanceof HostError && error.type === 'auth-failed'
      ? { because, refused: true }
      : { because };
  }
}

async function firstFailing(
  session: Session,
  probes: readonly Probe[],
  end: number,
  signal: AbortSignal | undefined,
): Promise<ProbeResult | undefined> {
  const results = await Promise.all(
    probes.map((probe) => {
      const left = Math.max((end - performance.now()) / 1000, 0);
      return runProbe(session, { ...probe, withinSeconds: Math.min(probe.withinSeconds, left) }, signal);
    }),
  );
  return results.find(({ passed }) => !passed);
}

function signalled(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
