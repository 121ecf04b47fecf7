import { Context } from '@temporalio/activity';
import { HostError } from '../hosts/host-error.ts';
import type { Session, Transport } from '../hosts/session.ts';
import type { HostTarget } from '../hosts/target.ts';
import type { Engine } from './engine.ts';

/** The run gives up on a host: nothing was heard from it for so long, or another machine answers in its place. */
export class HostSilentError extends Error {
  readonly type = 'host-silent';
}

/** When a host was last heard from, by activity, while it is tried again; ms of the clock that nobody sets. */
const heard = new Map<string, number>();

/**
 * Works on a host of a running run. Until the host has been silent for DOAAS_HOST_OUTAGE_SECONDS every failure to reach it is thrown as it is,
 * for Temporal to try again; then `HostSilentError`. An engine that starts again begins to count anew. Another host key is no outage: it ends
 * the work at once.
 */
export async function reaching<T>(
  engine: Engine,
  target: HostTarget,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const key = keyOf(Context.current(), target);
  const since = heard.get(key) ?? performance.now();
  let connected = false;
  try {
    const result = await engine.transport.withSession(target, (session) => {
      connected = true;
      return use(session);
    });
    heard.delete(key);
    return result;
  } catch (error) {
    heard.delete(key);
    if (!(error instanceof HostError) || error.type === 'cancelled') throw error;
    if (error.type === 'host-key-mismatch')
      throw new HostSilentError(`the run gives up on ${target.name}: ${error.message}`);
    const last = connected && error.type === 'connection-lost' ? performance.now() : since;
    const silentSeconds = (performance.now() - last) / 1000;
    if (silentSeconds >= engine.config.hostOutageSeconds) throw silent(target, silentSeconds, error);
    heard.set(key, last);
    throw error;
  }
}

/** Every session of it is one of `reaching`. */
export function patientTransport(engine: Engine): Transport {
  return { ...engine.transport, withSession: (target, use) => reaching(engine, target, use) };
}

function keyOf({ info }: Context, target: HostTarget): string {
  return `${info.workflowExecution?.runId ?? ''} ${info.activityId} ${target.name}`;
}

function silent(target: HostTarget, seconds: number, error: HostError): HostSilentError {
  return new HostSilentError(
    `nothing could be done on ${target.name} for ${Math.round(seconds)} s (DOAAS_HOST_OUTAGE_SECONDS), so the run gives up on it: ${error.message}`,
  );
}
