import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { secret } from '../config/secret.ts';
import type { EngineEvent } from '../github/events.ts';
import { createLogger } from '../log.ts';
import { createReceiverMetrics } from '../metrics.ts';
import { CONNECTIONS_MAX, createServer } from './server.ts';

const examples: readonly { name: string; examples: readonly { action?: string }[] }[] = createRequire(
  import.meta.url,
)('@octokit/webhooks-examples');
const opened = JSON.stringify(
  examples.find((e) => e.name === 'pull_request')?.examples.find((e) => e.action === 'opened'),
);

const CURRENT = 'the-current-secret-of-16';
const PREVIOUS = 'the-previous-secret-of-16';
const GUID = '72d3162e-cc78-11e3-81ab-4c9367dc0958';

const running: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

/** A promise that the test resolves itself. */
function gateway(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

interface Given {
  readonly accept?: (event: EngineEvent, guid: string) => Promise<'new' | 'known'>;
  readonly concurrency?: number;
  readonly bodyLimitBytes?: number;
  readonly bodiesLimitBytes?: number;
  readonly readiness?: Readonly<Record<string, () => Promise<void>>>;
  readonly otherMetrics?: () => Promise<string>;
}

async function start(given: Given = {}) {
  const delivered: { event: EngineEvent; guid: string }[] = [];
  const lines: string[] = [];
  const log = createLogger('debug', { write: (line) => void lines.push(line) });
  const server = await createServer({
    log,
    metrics: createReceiverMetrics(),
    secrets: [secret(CURRENT), secret(PREVIOUS)],
    appId: 1,
    accept:
      given.accept ??
      (async (event, guid) => {
        delivered.push({ event, guid });
        return 'new';
      }),
    concurrency: given.concurrency ?? 10,
    bodyLimitBytes: given.bodyLimitBytes ?? 1024 * 1024,
    ...(given.bodiesLimitBytes === undefined ? {} : { bodiesLimitBytes: given.bodiesLimitBytes }),
    readiness: given.readiness ?? {},
    ...(given.otherMetrics === undefined ? {} : { otherMetrics: given.otherMetrics }),
  });
  running.push(server);
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  return { url, delivered, lines, server };
}

function sign(body: string | Buffer, key = CURRENT, algorithm = 'sha256'): string {
  return `${algorithm}=${createHmac(algorithm, key).update(body).digest('hex')}`;
}

function headersFor(body: string | Buffer, extra: Record<string, string> = {}): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-github-event': 'pull_request',
    'x-github-delivery': GUID,
    'x-hub-signature-256': sign(body),
    ...extra,
  };
}

async function post(url: string, body: string | Buffer, headers: Record<string, string> = headersFor(body)) {
  const response = await fetch(`${url}/webhooks/github`, { method: 'POST', body, headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, string>,
  };
}

describe('POST /webhooks/github', () => {
  test('delivers a signed event before it answers 202', async () => {
    const { url, delivered, lines } = await start();
    const answer = await post(url, opened);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 'pull-request-changed' } });
    expect(delivered).toMatchObject([{ guid: GUID, event: { kind: 'pull-request-changed', number: 2 } }]);
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines.join('')).toContain('"outcome":"accepted"');
    expect(lines.join('')).not.toContain(sign(opened));
  });

  test('accepts the previous secret while it is rotated', async () => {
    const { url } = await start();
    const answer = await post(
      url,
      opened,
      headersFor(opened, { 'x-hub-signature-256': sign(opened, PREVIOUS) }),
    );
    expect(answer.status).toBe(202);
  });

  test('verifies the raw bytes, not what they mean', async () => {
    const { url, delivered } = await start();
    const spaced = JSON.stringify(JSON.parse(opened), null, 1);
    const answer = await post(url, spaced, headersFor(spaced, { 'x-hub-signature-256': sign(opened) }));
    expect(answer).toMatchObject({ status: 401, body: { error: expect.stringContaining('does not match') } });
    expect(delivered).toEqual([]);
  });

  const { 'x-hub-signature-256': _, ...unsigned } = headersFor(opened);
  test.each([
    ['no signature', unsigned, 'X-Hub-Signature-256 is missing'],
    [
      'only SHA-1',
      { ...unsigned, 'x-hub-signature': sign(opened, CURRENT, 'sha1') },
      'Only the old SHA-1 signature was sent',
    ],
    [
      'a wrong secret',
      { ...unsigned, 'x-hub-signature-256': sign(opened, 'another-secret-of-16') },
      'does not match',
    ],
    ['an empty secret', { ...unsigned, 'x-hub-signature-256': sign(opened, '') }, 'does not match'],
    ['a short signature', { ...unsigned, 'x-hub-signature-256': 'sha256=ab' }, 'is not `sha256=` and 64'],
    ['no prefix', { ...unsigned, 'x-hub-signature-256': sign(opened).slice(7) }, 'is not `sha256=` and 64'],
  ])('%s: 401 with a sentence', async (_name, headers, sentence) => {
    const { url, delivered } = await start();
    expect(await post(url, opened, headers)).toMatchObject({
      status: 401,
      body: { error: expect.stringContaining(sentence) },
    });
    expect(delivered).toEqual([]);
  });

  test.each([
    ['not JSON', 'hello', {}],
    [
      'a form',
      `payload=${encodeURIComponent(opened)}`,
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['empty', '', {}],
  ])('%s: 400', async (_name, body, extra) => {
    const { url } = await start();
    expect(await post(url, body, headersFor(body, extra))).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('not JSON') },
    });
  });

  test('no delivery id: 400', async () => {
    const { url } = await start();
    const answer = await post(url, opened, headersFor(opened, { 'x-github-delivery': 'a b' }));
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'X-GitHub-Event or X-GitHub-Delivery is missing or malformed.' },
    });
  });

  test('over the limit: 413', async () => {
    const { url, delivered } = await start({ bodyLimitBytes: 1000 });
    const answer = await post(url, opened);
    expect(answer).toMatchObject({
      status: 413,
      body: { error: 'The body is larger than 1000 bytes (DOAAS_WEBHOOK_BODY_MIB).' },
    });
    expect(delivered).toEqual([]);
  });

  test.each([
    ['ping', '{"zen":"x"}', 'ping without a repository'],
    ['star', '{"repository":{"name":"a","owner":{"login":"b"}}}', 'event star is not used'],
  ])('%s: 202, ignored with the reason', async (event, body, reason) => {
    const { url, delivered } = await start();
    expect(await post(url, body, headersFor(body, { 'x-github-event': event }))).toMatchObject({
      status: 202,
      body: { ignored: reason },
    });
    expect(delivered).toEqual([]);
  });

  test('one that was taken before is answered 202 as known', async () => {
    const { url, lines } = await start({ accept: async () => 'known' });
    expect(await post(url, opened)).toMatchObject({ status: 202, body: { known: 'pull-request-changed' } });
    expect(lines.join('')).toContain('"outcome":"known"');
  });

  test('what cannot be stored is answered 503, so that GitHub shows it as failed', async () => {
    const { url, lines } = await start({ accept: () => Promise.reject(new Error('the disk is full')) });
    const answer = await post(url, opened);
    expect(answer).toMatchObject({ status: 503, body: { error: expect.stringContaining('redeliver it') } });
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(lines.join('')).toContain('the disk is full');
  });

  test('one more than allowed at once is refused before its body is read; the others are answered', async () => {
    const gate = gateway();
    const entered = gateway();
    const { url } = await start({
      concurrency: 1,
      accept: async () => {
        entered.resolve();
        await gate.promise;
        return 'new';
      },
    });
    const held = post(url, opened);
    await entered.promise;
    const refused = await post(url, opened);
    gate.resolve();
    expect(refused).toMatchObject({
      status: 503,
      body: { error: 'Too many deliveries at once; try again.' },
    });
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await held).status).toBe(202);
  });

  test('close answers what is in flight', async () => {
    const gate = gateway();
    const entered = gateway();
    const { url, server } = await start({
      accept: async () => {
        entered.resolve();
        await gate.promise;
        return 'new';
      },
    });
    const held = post(url, opened);
    await entered.promise;
    const closed = server.close();
    gate.resolve();
    expect((await held).status).toBe(202);
    await closed;
  });

  test('of more connections than the process can hold, the last are closed, and the others served', async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    const sockets: Socket[] = [];
    try {
      for (let n = 0; n < CONNECTIONS_MAX; n += 1) {
        const socket = connect(port, '127.0.0.1');
        sockets.push(socket);
        await once(socket, 'connect');
      }
      const late = connect(port, '127.0.0.1');
      sockets.push(late);
      await once(late, 'close');
      const [first] = sockets;
      first?.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      const [answer] = await once(first ?? late, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1.1 200/);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('a sender that opens a connection and sends nothing is cut off', async () => {
    const { url, server } = await start();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /webhooks/github HTTP/1.1\r\nhost: x\r\n');
    const answer = await new Promise<string>((resolve, reject) => {
      let got = '';
      socket.on('data', (data) => {
        got += data;
      });
      socket.on('close', () => resolve(got));
      socket.on('error', reject);
    });
    expect(answer).toContain('408');
    expect(server.server.headersTimeout).toBe(5000);
  }, 15_000);
});

const START = 'POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
/** Anybody can make it up. */
const WELL_FORMED = `x-hub-signature-256: sha256=${'0'.repeat(64)}\r\n`;

/** Reads only once all is written, as a simple client does. */
async function written(url: string, head: string, body: Buffer, signature = WELL_FORMED): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  const all = Buffer.concat([Buffer.from(`${START}${signature}${head}\r\n\r\n`), body]);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject).write(all, () => resolve());
  });
  return (await socket.end().toArray()).join('');
}

describe('the sender of a body that is too large', () => {
  const LIMIT = 4 * 1024 * 1024;

  test('hears why, also when it writes on to the end of its body', async () => {
    const { url } = await start({ bodyLimitBytes: LIMIT });
    const bytes = 2 * LIMIT - 1;
    const answer = await written(url, `content-length: ${bytes}`, Buffer.alloc(bytes, 'x'));
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain(`larger than ${LIMIT} bytes`);
  });

  test('hears why when it did not tell the length', async () => {
    const { url } = await start({ bodyLimitBytes: LIMIT });
    const bytes = 2 * LIMIT;
    const chunk = `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n0\r\n\r\n`;
    const answer = await written(url, 'transfer-encoding: chunked', Buffer.from(chunk));
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  test('is cut off when it does not end', async () => {
    const { url } = await start({ bodyLimitBytes: LIMIT });
    const endless = written(url, `content-length: ${16 * LIMIT}`, Buffer.alloc(16 * LIMIT, 'x'));
    await expect(endless).rejects.toThrow(/EPIPE|ECONNRESET/);
  });
});

describe('a sender without a signature', () => {
  test('is refused before it has sent a body', async () => {
    const { url, lines } = await start();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    try {
      socket.write(`${START}content-length: 1000000\r\n\r\n`);
      const [answer] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1.1 401 .*X-Hub-Signature-256 is missing/s);
      expect(lines.join('')).toContain('"outcome":"unsigned"');
    } finally {
      socket.destroy();
    }
  });

  test('hears why, also when it writes on to the end of its body', async () => {
    const { url } = await start();
    const bytes = 8 * 1024 * 1024;
    const answer = await written(url, `content-length: ${bytes}`, Buffer.alloc(bytes, 'x'), '');
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
  });
});

describe('all bodies in flight', () => {
  const BOUND = 1024 * 1024;
  const bodyOf = (bytes: number) => JSON.stringify({ ...JSON.parse(opened), padding: 'x'.repeat(bytes) });
  const large = bodyOf(0.4 * BOUND);

  test('have a bound together: one more is answered 503, whatever it writes, and taken once there is room', async () => {
    const gate = gateway();
    const entered = [gateway(), gateway()];
    let count = 0;
    const { url } = await start({
      bodiesLimitBytes: BOUND,
      accept: async () => {
        entered[count++]?.resolve();
        await gate.promise;
        return 'new';
      },
    });
    const held = [post(url, large), post(url, large)];
    await Promise.all(entered.map(({ promise }) => promise));
    const refused = await post(url, large);
    expect(refused).toMatchObject({
      status: 503,
      body: { error: 'Too many deliveries at once; try again.' },
    });
    expect(refused.headers.get('retry-after')).toBe('5');
    const text = await written(url, `content-length: ${BOUND}`, Buffer.alloc(BOUND, 'x'));
    expect(text).toMatch(/^HTTP\/1.1 503 /);
    // a small one still has room
    const small = post(url, opened);
    gate.resolve();
    expect((await small).status).toBe(202);
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([202, 202]);
    expect((await post(url, large)).status).toBe(202);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('doaas_webhooks_total{event="unknown",outcome="busy"} 2');
  });

  test('count as they arrive: who only announces them takes room from nobody', async () => {
    const { url } = await start({ bodiesLimitBytes: BOUND });
    const port = Number(new URL(url).port);
    const sockets = [1, 2, 3].map(() => connect(port, '127.0.0.1'));
    try {
      for (const socket of sockets) socket.write(`${START}${WELL_FORMED}content-length: ${BOUND}\r\n\r\n`);
      expect((await post(url, large)).status).toBe(202);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test('count what a chunk takes, so that a body of tiny ones is refused', async () => {
    const { url } = await start({ bodiesLimitBytes: BOUND });
    const body = `${'1\r\nx\r\n'.repeat(8192)}0\r\n\r\n`;
    expect(await written(url, 'transfer-encoding: chunked', Buffer.from(body))).toMatch(/^HTTP\/1.1 503 /);
  });

  test('leave their room when a sender goes away in the middle', async () => {
    const { url } = await start({ bodiesLimitBytes: BOUND });
    for (let n = 0; n < 3; n += 1) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(`${START}${WELL_FORMED}content-length: ${BOUND}\r\n\r\n`);
      await new Promise((resolve) => socket.write(Buffer.alloc(0.8 * BOUND, 'x'), resolve));
      socket.destroy();
    }
    await vi.waitFor(async () => expect((await post(url, large)).status).toBe(202), 10_000);
  });
});

test('healthz answers, readyz names the part that does not work', async () => {
  const readiness = {
    store: async () => {},
    temporal: () => Promise.reject(new Error('Temporal does not answer')),
  };
  const { url } = await start({ readiness });
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({
    status: 'not ready',
    parts: { store: 'ok', temporal: 'Temporal does not answer' },
  });
});

test('metrics count deliveries; an unverified sender makes no labels', async () => {
  const { url } = await start();
  await post(url, opened);
  await post(url, opened, { 'x-github-event': 'evil_label', 'content-type': 'application/json' });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('doaas_webhooks_total{event="pull_request",outcome="accepted"} 1');
  expect(metrics).toContain('doaas_webhooks_total{event="unknown",outcome="unsigned"} 1');
  expect(metrics).not.toContain('evil_label');
});

test('metrics of other threads stand beside its own, which come also when those do not answer', async () => {
  const both = await start({ otherMetrics: async () => 'doaas_elsewhere 7\n' });
  const text = await (await fetch(`${both.url}/metrics`)).text();
  expect(text).toMatch(/^doaas_webhooks_in_flight 0$/m);
  expect(text).toMatch(/^doaas_elsewhere 7$/m);
  const alone = await start({ otherMetrics: () => Promise.reject(new Error('it ended')) });
  const answer = await fetch(`${alone.url}/metrics`);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('# other threads: it ended');
});

test('an empty secret refuses to start', async () => {
  const log = createLogger('silent');
  const options = {
    log,
    metrics: createReceiverMetrics(),
    appId: 1,
    accept: async () => 'new' as const,
    concurrency: 1,
    bodyLimitBytes: 1,
    readiness: {},
  };
  await expect(createServer({ ...options, secrets: [] })).rejects.toThrow(/empty webhook secret/);
  await expect(createServer({ ...options, secrets: [secret('')] })).rejects.toThrow(/empty webhook secret/);
});
