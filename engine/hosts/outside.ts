import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { limiter } from '../limit.ts';
import { echoes } from './probe-reach.ts';
import { connectWithin, isUnanswered } from './probe-tcp.ts';
import type { Session } from './session.ts';

/** One TCP port as others would reach it. */
export interface Place {
  /** IP address or host name. */
  readonly address: string;
  readonly port: number;
}

/** What came of one connection. `silent`: also where there is no way to that address. */
export type Sight = 'open' | 'refused' | 'silent';

/** Whoever sees others from where they are. Both throw HostError when the one that looks is lost. */
export interface Looker {
  readonly tries: (place: Place) => Promise<Sight>;
  /** Whether that address answers a ping. */
  readonly pings: (address: string) => Promise<boolean>;
  /** Whether its own firewall lets such a connection out, as far as is known. */
  readonly goesOut: (place: Place) => boolean;
}

/** A port that drops says nothing for ever; one that is open answers long before. */
const SILENCE_MAX_MS = 3_000;

/** Connections that one looker tries at the same time; sshd's own bound is 10 where they go through its shell (MaxSessions). */
const AT_ONCE = 8;

/** As a server sees others. */
export function lookFrom(session: Session): Omit<Looker, 'goesOut'> {
  return {
    tries: async ({ address, port }) => {
      const stream = await connectWithin(session, address, port, SILENCE_MAX_MS);
      if (isUnanswered(stream)) return stream.refused ? 'refused' : 'silent';
      stream.destroy();
      return 'open';
    },
    pings: (address) => echoes(session, address),
  };
}

/** As this machine sees them. */
export const lookFromHere: Looker = {
  tries: ({ address, port }) =>
    new Promise((resolve) => {
      const socket = connect({ host: address, port, timeout: SILENCE_MAX_MS });
      const end = (sight: Sight) => {
        socket.destroy();
        resolve(sight);
      };
      socket.once('connect', () => end('open'));
      socket.once('timeout', () => end('silent'));
      socket.once('error', (error: NodeJS.ErrnoException) =>
        end(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'),
      );
    }),
  pings: (address) =>
    new Promise((resolve) => {
      execFile('ping', ['-n', '-c', '1', '-W', '2', '--', address], (error) => resolve(error === null));
    }),
  goesOut: () => true,
};

/**
 * Which of these accept a connection, in their order. That nothing answers proves something only where that address can be reached
 * from there at all: undefined where nothing of it answers, not even a ping, or where the connection never left.
 */
export async function lookAt(
  { tries, pings, goesOut }: Looker,
  places: readonly Place[],
): Promise<readonly (boolean | undefined)[]> {
  const limited = limiter(AT_ONCE);
  const tried = await Promise.all(
    places.map((place) =>
      limited(async () => ({ ...place, sight: await tries(place), out: goesOut(place) })),
    ),
  );
  const answering = new Set(
    tried.flatMap(({ address, sight, out }) =>
      sight === 'open' || (sight === 'refused' && out) ? [address] : [],
    ),
  );
  const silent = [...new Set(places.map(({ address }) => address))].filter((one) => !answering.has(one));
  await Promise.all(silent.map(async (one) => (await limited(() => pings(one))) && answering.add(one)));
  return tried.map(({ address, sight, out }) =>
    sight === 'open' ? true : out && answering.has(address) ? false : undefined,
  );
}
