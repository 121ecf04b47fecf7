import { connect } from 'node:net';
import { limiter } from '../limit.ts';
import { connectWithin, isUnanswered } from './probe-tcp.ts';
import type { Session } from './session.ts';

/** One TCP port as others would reach it. */
export interface Place {
  /** IP address or host name. */
  readonly address: string;
  readonly port: number;
}

/** A port that drops says nothing for ever; one that is open answers long before. */
const SILENCE_MAX_MS = 3_000;

/** Connections that one looker tries at the same time; sshd's own bound is 10 where they go through its shell (MaxSessions). */
const AT_ONCE = 8;

/** Tries one connection; resolves to whether it was accepted. */
export type Look = (place: Place) => Promise<boolean>;

/** As a server sees others. Throws HostError when the server itself is lost. */
export function lookFrom(session: Session): Look {
  return async ({ address, port }) => {
    const stream = await connectWithin(session, address, port, SILENCE_MAX_MS);
    if (isUnanswered(stream)) return false;
    stream.destroy();
    return true;
  };
}

/** As this machine sees them. */
export const lookFromHere: Look = ({ address, port }) =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: SILENCE_MAX_MS });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });

/** Which of these accept a connection, in their order. */
export function lookAt(look: Look, places: readonly Place[]): Promise<readonly boolean[]> {
  const limited = limiter(AT_ONCE);
  return Promise.all(places.map((place) => limited(() => look(place))));
}
