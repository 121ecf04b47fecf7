import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { secret } from '../config/secret.ts';
import { signedPlanPath } from '../http/planLink.ts';
import { openInbox } from '../store/inbox.ts';
import type { MainFunctions, ReceiverOrder } from './order.ts';
import { type RunningReceiver, startReceiver } from './start.ts';

const examples: readonly { name: string; examples: readonly { action?: string }[] }[] = createRequire(
  import.meta.url,
)('@octokit/webhooks-examples');
const OPENED = JSON.stringify(
  examples.find((e) => e.name === 'pull_request')?.examples.find((e) => e.action === 'opened'),
);
const SECRET = 'a-secret-of-the-receiver';

let dir = '';
let deaths: Error[] = [];
const running: RunningReceiver[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-receiver-'));
  deaths = [];
});
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.close();
  await rm(dir, { recursive: true, force: true });
});

async function start(order: Partial<ReceiverOrder> = {}, functions: Partial<MainFunctions> = {}) {
  const receiver = await startReceiver(
    {
      inbox: { file: join(dir, `${randomUUID()}.sqlite`) },
      host: '127.0.0.1',
      port: 0,
      logLevel: 'silent',
      secrets: [SECRET],
      appId: 1,
      concurrency: 10,
      bodyLimitBytes: 1024 * 1024,
      plans: true,
      parts: ['store'],
      ...order,
    },
    {
      arrived: async () => undefined,
      planText: async (digest) => `the plan ${digest}`,
      check: async () => undefined,
      metrics: async () => 'doaas_elsewhere 1\n',
      ...functions,
    },
    (error) => deaths.push(error),
  );
  running.push(receiver);
  return receiver;
}

async function post(url: string, guid: string) {
  const response = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'pull_request',
      'x-github-delivery': guid,
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(OPENED).digest('hex')}`,
    },
    body: OPENED,
  });
  return { status: response.status, body: await response.json() };
}

it('answers once the delivery is in the inbox, tells the main thread, and hands it to a relay there', async () => {
  const [file, guid] = [join(dir, 'inbox.sqlite'), randomUUID()];
  let arrivals = 0;
  const arrived = async (): Promise<void> => {
    arrivals += 1;
  };
  const { url, inbox, close } = await start({ inbox: { file } }, { arrived });
  expect(await post(url, guid)).toEqual({ status: 202, body: { accepted: 'pull-request-changed' } });
  expect(await post(url, guid)).toEqual({ status: 202, body: { known: 'pull-request-changed' } });
  const [waiting] = await inbox.claim(10);
  expect(arrivals).toBe(1);
  expect(waiting).toMatchObject({ guid, lane: 'codertocat/hello-world#2', tries: 1 });
  expect(JSON.parse(waiting?.event ?? '')).toMatchObject({ kind: 'pull-request-changed', number: 2 });
  await inbox.postpone(guid, 0);
  expect(await inbox.claim(10)).toMatchObject([{ guid, tries: 2 }]);
  await inbox.handedOn([guid]);
  expect(await inbox.prune(0)).toBe(0);
  await close();
  const again = await openInbox({ file });
  expect(await again.accept({ guid, lane: 'a', event: '{}' })).toBe('known');
  await again.close();
  expect(deaths).toEqual([]);
});

it('shows what the main thread knows: its parts, its metrics and its plans', async () => {
  const check = () => Promise.reject(new Error('the store does not answer'));
  const { url } = await start({}, { check });
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ parts: { inbox: 'ok', store: 'the store does not answer' } });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^doaas_inbox_waiting 0$/m);
  expect(metrics).toMatch(/^doaas_receiver_busy_ratio \d/m);
  expect(metrics).toMatch(/^doaas_elsewhere 1$/m);
  const digest = 'a'.repeat(64);
  const plan = await fetch(`${url}${signedPlanPath(digest, secret(SECRET), Date.now())}`);
  expect(await plan.text()).toBe(`the plan ${digest}\n`);
});

it('says why it cannot start', async () => {
  const { url } = await start();
  await expect(start({ port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE');
});

it('refuses what has no signature before it has come, and what is too large so that its sender hears it', async () => {
  const { url } = await start();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  try {
    socket.write('POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n');
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 401 /);
  } finally {
    socket.destroy();
  }
  const headers = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}`, 'content-type': 'application/json' };
  const body = Buffer.alloc(1024 * 1024 + 1, 'x');
  expect((await fetch(`${url}/webhooks/github`, { method: 'POST', headers, body })).status).toBe(413);
});
