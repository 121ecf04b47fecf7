import type { ReachProbe } from '../kinds/kind.ts';
import type { Attempt } from './probe.ts';
import { connectWithin } from './probe-tcp.ts';
import type { Session } from './session.ts';

/** A port that drops says nothing for ever; one that is open answers long before. */
const SILENCE_MAX_MS = 3_000;

/** One connection that the host of the session tries to make. */
export async function tryReach(session: Session, probe: ReachProbe, timeoutMs: number): Promise<Attempt> {
  const { address, port, open } = probe;
  const where = `TCP ${address}:${port} from ${session.target.name}`;
  const limit = open ? timeoutMs : Math.min(timeoutMs, SILENCE_MAX_MS);
  const why = await unanswered(session, address, port, limit);
  if (open || why === undefined)
    return { passed: open === (why === undefined), detail: `${where} ${why ?? 'accepted a connection'}` };
  // That nothing answers proves something only where the host can make connections at all.
  const own = await unanswered(session, '127.0.0.1', session.target.port, timeoutMs);
  if (own === undefined) return { passed: true, detail: `${where} ${why}` };
  const { name } = session.target;
  return { passed: false, detail: `${where} cannot be judged: ${name} cannot even reach its own SSH server` };
}

/** Undefined: it accepted a connection. */
async function unanswered(
  session: Session,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<string | undefined> {
  const stream = await connectWithin(session, address, port, timeoutMs);
  if (typeof stream === 'string') return stream;
  stream.destroy();
  return undefined;
}
