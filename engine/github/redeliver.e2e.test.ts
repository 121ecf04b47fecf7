import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type LabGitHub, startLabGitHub } from '../../lab/github/lab-github.ts';
import { secret } from '../config/secret.ts';
import { createLogger } from '../log.ts';
import { createGitHub, type GitHub } from './client.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** More than 20 pages, the most that one sweep reads. */
const DELIVERIES = 2_300;
const AT_ONCE = 100;
/** Every ninth fails: 256 of them, over the whole list. */
const FAILS_EVERY = 9;
/** A delivery that failed just now could be under way still. */
const LATER_MS = 20_000;
/** Longest that one which failed a moment ago waits. */
const GAP_MS = 600_000;
const THREE_DAYS_MS = 3 * 86_400_000;
/** Of one call, before it fails. */
const TRIES = 3;

let lab: LabGitHub;
let receiver: Server;
/** Of which the receiver takes nothing. */
const away = new Set<string>();
const taken: string[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const guid = String(request.headers['x-github-delivery']);
    request.resume().on('end', () => {
      response.statusCode = away.has(guid) ? 503 : 202;
      if (!away.has(guid)) taken.push(guid);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const webhookUrl = `http://127.0.0.1:${port}/`;
  lab = await startLabGitHub({ webhookSecret: 'a-secret-of-the-lab-16', webhookUrl });
});

afterAll(async () => {
  await lab?.close();
  receiver?.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

function newGitHub(lines: string[] = []): GitHub {
  const config = {
    githubApiUrl: lab.url,
    githubAppId: lab.app.id,
    githubPrivateKey: secret(lab.app.privateKey),
    githubWritesPerMinute: 100_000,
  };
  return createGitHub(config, createLogger('warn', { write: (line) => void lines.push(line) }));
}

/** GUIDs, in their order. */
async function deliver(count: number, event: (n: number) => string): Promise<readonly string[]> {
  const guids: string[] = [];
  for (let n = 0; n < count; n++) {
    const delivery = lab.webhooks.emit(event(n), undefined, { n });
    if (delivery === undefined) throw new Error('the App hears of nothing');
    if (n % FAILS_EVERY === 0) away.add(delivery.guid);
    guids.push(delivery.guid);
    if (n % AT_ONCE === 0) await lab.webhooks.settled();
  }
  await lab.webhooks.settled();
  return guids;
}

async function sweeps(github: GitHub, times: number, laterMs = LATER_MS): Promise<readonly number[]> {
  const asked: number[] = [];
  for (let n = 0; n < times; n++) {
    asked.push(await github.redeliverMissed(Date.now() + laterMs));
    await lab.webhooks.settled();
  }
  return asked;
}

const asks = () => lab.requests().filter(({ method, path }) => method === 'POST' && /attempts$/.test(path));
const lists = () => lab.requests().filter(({ method, path }) => method === 'GET' && /deliveries/.test(path));

test('all that an outage lost among thousands is asked for again, over several sweeps, what people said first', async () => {
  const guids = await deliver(DELIVERIES, (n) => (n % 2 === 0 ? 'issue_comment' : 'push'));
  const lost = guids.filter((guid) => away.has(guid));
  expect(lost.length).toBe(256);
  away.clear();
  taken.length = 0;
  const github = newGitHub();
  expect(await sweeps(github, 1)).toEqual([100]);
  const said = new Set(guids.filter((_, n) => n % 2 === 0));
  expect(taken.every((guid) => said.has(guid))).toBe(true);
  expect(await sweeps(github, 4)).toEqual([100, 56, 0, 0]);
  expect([...taken].sort()).toEqual([...lost].sort());

  // what is known is not read again
  const before = lists().length;
  expect(await sweeps(github, 1)).toEqual([0]);
  expect(lists().length - before).toBe(1);

  // another process reads the whole of it, and finds nothing to do
  expect(await sweeps(newGitHub(), 2)).toEqual([0, 0]);
});

test('what fails again and again is asked for at ever longer gaps for three days, then given up and told', async () => {
  const lines: string[] = [];
  const github = newGitHub(lines);
  await sweeps(github, 2);
  const [lost = ''] = await deliver(1, () => 'issue_comment');
  expect(away.has(lost)).toBe(true);
  expect(await sweeps(github, 3)).toEqual([1, 0, 0]);
  // what GitHub lists is enough for another process to keep the gap
  const other = newGitHub();
  expect(await sweeps(other, 2)).toEqual([0, 0]);
  // more than five tries in all
  expect(await sweeps(github, 6, GAP_MS)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(lines.join('')).not.toContain(lost);
  expect(await sweeps(other, 1, GAP_MS)).toEqual([1]);
  expect(await sweeps(github, 2, THREE_DAYS_MS)).toEqual([0, 0]);
  const told = lines.filter((line) => line.includes('given up'));
  expect(told).toHaveLength(1);
  expect(JSON.parse(told[0] ?? '')).toMatchObject({
    level: 'warn',
    lost: 1,
    deliveries: [{ guid: lost, event: 'issue_comment' }],
  });
  expect(await sweeps(github, 1, GAP_MS)).toEqual([0]);
});

test('one that GitHub refuses to send again, or fails at, is in the way of none of the others', async () => {
  const github = newGitHub();
  await sweeps(github, 2);
  const lost = await deliver(3 * FAILS_EVERY, () => 'issue_comment').then((guids) =>
    guids.filter((guid) => away.has(guid)),
  );
  away.clear();
  taken.length = 0;
  const path = /deliveries\/\d+\/attempts$/;
  const before = asks().length;
  lab.faults.add({ method: 'POST', path, times: 1, respond: { status: 422 } });
  expect(await sweeps(github, 2)).toEqual([2, 0]);
  expect(asks().length - before).toBe(3);
  expect([...taken].sort()).toEqual(lost.slice(1).sort());

  // one that alone fails with 5xx ends this try; the next goes on with the others
  const [slow, ...others] = await deliver(2 * FAILS_EVERY, () => 'issue_comment').then((guids) =>
    guids.filter((guid) => away.has(guid)),
  );
  away.clear();
  taken.length = 0;
  lab.faults.add({ method: 'POST', path, times: TRIES, respond: { status: 502 } });
  await expect(sweeps(github, 1)).rejects.toMatchObject({ type: 'github-unavailable' });
  expect(await sweeps(github, 1)).toEqual([1]);
  expect(taken).toEqual(others);
  expect(await github.redeliverMissed(Date.now() + LATER_MS + 60_001)).toBe(1);
  await lab.webhooks.settled();
  expect(taken).toEqual([...others, slow]);
});
