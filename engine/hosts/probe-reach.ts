import type { ReachProbe } from '../kinds/kind.ts';
import { sh } from '../shell/sh.ts';
import type { Attempt } from './probe.ts';
import { connectWithin, isUnanswered, type Unanswered } from './probe-tcp.ts';
import type { Session } from './session.ts';

/** A port that drops says nothing for ever; one that is open answers long before. */
const SILENCE_MAX_MS = 3_000;

/** One connection that the host of the session tries to make. */
export async function tryReach(session: Session, probe: ReachProbe, timeoutMs: number): Promise<Attempt> {
  const { address, port, open } = probe;
  const where = `TCP ${address}:${port} from ${session.target.name}`;
  const limit = open ? timeoutMs : Math.min(timeoutMs, SILENCE_MAX_MS);
  const found = await unanswered(session, address, port, limit);
  if (open || found === undefined)
    return {
      passed: open === (found === undefined),
      detail: `${where} ${found?.words ?? 'accepted a connection'}`,
    };
  return found.refused ? { passed: true, detail: `${where} ${found.words}` } : judge(session, probe, found);
}

/**
 * That nothing answers proves something only where the address can be reached from there at all: without a route, or with an address
 * that is not the server's, every port looks closed.
 */
async function judge(session: Session, probe: ReachProbe, { words }: Unanswered): Promise<Attempt> {
  const { address, port, others = [] } = probe;
  const { name } = session.target;
  const where = `TCP ${address}:${port} from ${name}`;
  const sign = await signOfLife(session, address, others);
  if (sign !== undefined) return { passed: true, detail: `${where} ${words}, while ${sign}` };
  const tried = [...others.map((one) => `tcp/${one}`), 'ping'].join(', ');
  const advice = `Whether ${name} can reach ${address} at all is not known: see its route, or let it reach one port there (\`reach\` with \`expect: open\`)`;
  return {
    passed: false,
    detail: `${where} cannot be judged: it ${words}, and nothing else of that address answers there (${tried}). ${advice}`,
  };
}

/** What the address answers with, in words; undefined: nothing. */
async function signOfLife(
  session: Session,
  address: string,
  others: readonly number[],
): Promise<string | undefined> {
  const answers = await Promise.all(
    others.map(async (port) => (await unanswered(session, address, port, SILENCE_MAX_MS))?.refused ?? true),
  );
  const port = others.find((_, i) => answers[i]);
  if (port !== undefined) return `tcp/${port} of that address answers`;
  return (await echoes(session, address)) ? 'that address answers a ping' : undefined;
}

/** Not every host has a ping(8), and not every network lets it through. */
export async function echoes(session: Session, address: string): Promise<boolean> {
  const ping = sh`ping -n -c 1 -W 2 ${address}`;
  const ran = await session.run(ping, { timeoutSeconds: 10, become: false });
  return ran.exitCode === 0;
}

/** Undefined: it accepted a connection. */
async function unanswered(
  session: Session,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Unanswered | undefined> {
  const stream = await connectWithin(session, address, port, timeoutMs);
  if (isUnanswered(stream)) return stream;
  stream.destroy();
  return undefined;
}
