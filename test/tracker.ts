import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves a list as Debian's security tracker does. */
export interface TestTracker {
  readonly url: string;
  /** Answers 503 from now on, or again with the list. */
  readonly setAway: (away: boolean) => void;
  /** Statuses that it has answered with. */
  readonly answers: () => readonly number[];
  readonly close: () => Promise<void>;
}

/** By source package, then by vulnerability. */
export type TrackedList = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** `date`: of the list, as an HTTP date (RFC 9110, 5.6.7). */
export async function startTracker(list: TrackedList, date: string): Promise<TestTracker> {
  let away = false;
  const answers: number[] = [];
  const server = createServer((_, response) => {
    const status = away ? 503 : 200;
    answers.push(status);
    response.writeHead(status, away ? {} : { 'content-type': 'application/json', 'last-modified': date });
    response.end(away ? 'Service Unavailable' : JSON.stringify(list));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tracker/data/json`,
    setAway: (wanted) => {
      away = wanted;
    },
    answers: () => answers,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** What the tracker says of a vulnerability; `fixed`: version of the source package that has the fix, if one has. */
export function tracked(fixed?: string): Readonly<Record<string, unknown>> {
  const state = fixed === undefined ? { status: 'open' } : { status: 'resolved', fixed_version: fixed };
  return {
    description: 'doaas-lib believes a version that is "quoted"',
    scope: 'remote',
    releases: {
      bookworm: {
        ...state,
        repositories: { bookworm: '1.0', 'bookworm-security': fixed ?? '1.0' },
        urgency: 'not yet assigned',
      },
    },
  };
}
