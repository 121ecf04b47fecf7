import type { Duplex } from 'node:stream';
import type { TcpProbe } from '../kinds/kind.ts';
import { HostError } from './host-error.ts';
import type { Attempt } from './probe.ts';
import { NO_ANSWER } from './relay.ts';
import type { Session } from './session.ts';

export async function tryTcp(session: Session, probe: TcpProbe, timeoutMs: number): Promise<Attempt> {
  const where = `TCP ${probe.address}:${probe.port}`;
  const stream = await connectWithin(session, probe.address, probe.port, timeoutMs);
  if (isUnanswered(stream)) return { passed: false, detail: `${where} ${stream.words}` };
  stream.destroy();
  return { passed: true, detail: `${where} accepted a connection` };
}

/** Why there is no connection. */
export interface Unanswered {
  readonly kind: 'unanswered';
  /** The address itself said no (a TCP reset, or an ICMP error in its name), so the way to it works. */
  readonly refused: boolean;
  /** They follow an address. */
  readonly words: string;
}

export function isUnanswered(one: Duplex | Unanswered): one is Unanswered {
  return 'kind' in one && one.kind === 'unanswered';
}

/** Throws when the host itself is lost. */
export async function connectWithin(
  session: Session,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Duplex | Unanswered> {
  try {
    return await session.connect(address, port, timeoutMs);
  } catch (error) {
    if (!(error instanceof HostError) || error.type !== 'port-closed') throw error;
    if (error.problem !== NO_ANSWER) return closed(error.problem ?? '');
    const words = `did not accept a connection within ${Math.round(timeoutMs / 100) / 10} s`;
    return { kind: 'unanswered', refused: false, words };
  }
}

/** `problem`: strerror(3) of ECONNREFUSED, EHOSTUNREACH and the like, as OpenSSH and bash pass it on. */
function closed(problem: string): Unanswered {
  const refused = /^connection refused$/i.test(problem);
  const words = refused ? 'refused the connection' : `cannot be reached: ${problem}`;
  return { kind: 'unanswered', refused, words };
}
