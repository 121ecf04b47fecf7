import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers as HashiCorp documents it for KV version 2: reads, what is missing or deleted, and what is denied. */
export interface TestVault {
  readonly address: string;
  readonly token: string;
  /** Entry of the mount `secret` to its values; null for one whose current version was deleted. */
  readonly entries: Map<string, Readonly<Record<string, unknown>> | null>;
  /** From now on every call is answered with this status; undefined: as usual. */
  readonly failWith: (status: number | undefined) => void;
  /** From now on the body of every answer ends early, or is begun and never ends; undefined: as usual. */
  readonly breakBody: (how: 'cut' | 'stall' | undefined) => void;
  /** Calls so far. */
  readonly calls: () => number;
  readonly close: () => Promise<void>;
}

export async function startVault(): Promise<TestVault> {
  const token = 'hvs.test-token-canary';
  const entries = new Map<string, Readonly<Record<string, unknown>> | null>();
  let failure: number | undefined;
  let broken: 'cut' | 'stall' | undefined;
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    const answer = (status: number, body: unknown): void => {
      const text = JSON.stringify(body);
      response.writeHead(status, {
        'content-type': 'application/json',
        location: '/elsewhere',
        'content-length': Buffer.byteLength(text),
      });
      if (broken === undefined) return void response.end(text);
      response.write(text.slice(0, -5), () => broken === 'cut' && response.destroy());
    };
    if (failure !== undefined) return answer(failure, { errors: ['failed on purpose'] });
    if (request.headers['x-vault-token'] !== token) return answer(403, { errors: ['permission denied'] });
    const path = (request.url ?? '').replace(/^\/v1\//, '');
    const data = entries.get(path);
    if (data === undefined) return answer(404, { errors: [] });
    const metadata = {
      created_time: '2026-01-01T00:00:00Z',
      deletion_time: data === null ? 'then' : '',
      destroyed: false,
      version: 1,
    };
    return answer(data === null ? 404 : 200, { request_id: 'r', data: { data, metadata } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    entries,
    failWith: (status) => {
      failure = status;
    },
    breakBody: (how) => {
      broken = how;
    },
    calls: () => calls,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
