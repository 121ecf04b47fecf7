import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../test/until.ts';
import type { EngineEvent } from '../github/events.ts';
import { createLogger } from '../log.ts';
import { createEngineMetrics } from '../metrics.ts';
import { type Inbox, type Outbound, openInbox } from '../store/inbox.ts';
import { laneOf } from './lane.ts';
import { backoffMs, type Relay, type RelayOptions, startRelay } from './relay.ts';

let dir = '';
let inbox: Inbox;
let relay: Relay | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-relay-'));
  inbox = await openInbox({ file: join(dir, 'inbox.sqlite') });
});
afterEach(async () => {
  await relay?.stop();
  relay = undefined;
  await inbox.close();
  await rm(dir, { recursive: true, force: true });
});

const review = (number: number): EngineEvent => ({
  kind: 'review-submitted',
  repo: { owner: 'O', name: 'r' },
  installationId: 1,
  number,
  reviewer: 'alice',
  state: 'approved',
  commitId: 'c',
});

async function accept(number: number): Promise<string> {
  const [guid, event] = [randomUUID(), review(number)];
  await inbox.accept({ guid, lane: laneOf(event), event: JSON.stringify(event) });
  return guid;
}

function start(handOn: RelayOptions['handOn'], through: Outbound = inbox) {
  const lines: string[] = [];
  const log = createLogger('info', { write: (line) => void lines.push(line) });
  relay = startRelay({ inbox: through, handOn, log, metrics: createEngineMetrics(), lookEveryMs: 20 });
  return lines;
}

const empty = () =>
  until(async () => ((await inbox.state()).waiting === 0 ? true : undefined), 'the inbox to be empty', 10);

it('hands on what waits, each pull request in the order of arrival, a few at the same time', async () => {
  const sent: string[] = [];
  for (let n = 0; n < 40; n++) sent.push(await accept(n % 10));
  const came: { guid: string; number: number }[] = [];
  const busy = new Set<number>();
  let most = 0;
  start(async (event, guid) => {
    if (event.kind !== 'review-submitted') throw new Error(event.kind);
    expect(busy.has(event.number)).toBe(false);
    busy.add(event.number);
    most = Math.max(most, busy.size);
    await new Promise((resolve) => setImmediate(resolve));
    busy.delete(event.number);
    came.push({ guid, number: event.number });
  });
  await empty();
  for (let number = 0; number < 10; number++) {
    const inOrder = came.filter((each) => each.number === number).map(({ guid }) => guid);
    expect(inOrder).toEqual(sent.filter((_, n) => n % 10 === number));
  }
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(8);
});

it('tries again what fails, holds back what came after it for the same pull request only, and says so once', async () => {
  const first = await accept(1);
  const second = await accept(1);
  const other = await accept(2);
  const tried: string[] = [];
  let away = true;
  const lines = start(async (_, guid) => {
    tried.push(guid);
    if (guid === first && away) throw new Error('Temporal is away');
  });
  await until(async () => (tried.filter((guid) => guid === first).length > 1 ? true : undefined), 'retries');
  expect(tried).toContain(other);
  expect(tried).not.toContain(second);
  away = false;
  await empty();
  expect(tried.slice(-2)).toEqual([first, second]);
  expect(lines.filter((line) => line.includes('Temporal is away')).length).toBeLessThanOrEqual(2);
  expect(lines.at(-1)).toContain('deliveries are handed on again');
});

it('tries again soon also where the inbox could not be told that it failed', async () => {
  await accept(1);
  let tries = 0;
  let told = 0;
  start(
    async () => {
      tries += 1;
      if (tries === 1) throw new Error('the store was away');
    },
    {
      ...inbox,
      postpone: async (guid, ms) => {
        told += 1;
        if (told === 1) throw new Error('the store was away');
        await inbox.postpone(guid, ms);
      },
    },
  );
  // far less than the lease of what it had claimed
  await empty();
  expect(tries).toBe(2);
});

it('hands on again what an earlier one may have handed on without marking it', async () => {
  const guid = await accept(1);
  await inbox.claim(1);
  await inbox.close();
  inbox = await openInbox({ file: join(dir, 'inbox.sqlite') });
  const came: string[] = [];
  start(async (_, each) => void came.push(each));
  await empty();
  expect(came).toEqual([guid]);
});

it('gives up after an hour what GitHub refuses for good, and then goes on in that lane', async () => {
  const clock = () => Date.now() - 61 * 60_000;
  await inbox.close();
  inbox = await openInbox({ file: join(dir, 'inbox.sqlite') }, clock);
  const refused = await accept(1);
  await inbox.close();
  inbox = await openInbox({ file: join(dir, 'inbox.sqlite') });
  const fresh = await accept(2);
  const next = await accept(1);
  const taken: string[] = [];
  let refusals = 0;
  const lines = start(async (_, guid) => {
    if (guid === refused || (guid === fresh && refusals++ === 0))
      throw Object.assign(new Error('not installed'), { retryable: false });
    taken.push(guid);
  });
  await empty();
  expect(taken.toSorted()).toEqual([fresh, next].toSorted());
  expect(lines.join('')).toContain('is given up');
});

it('ends what is under way before it stops, and marks it', async () => {
  const guid = await accept(1);
  let finish = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    start(async () => {
      resolve();
      await new Promise<void>((end) => {
        finish = end;
      });
    });
  });
  await begun;
  const stopped = relay?.stop();
  finish();
  await stopped;
  expect(await inbox.state()).toMatchObject({ waiting: 0 });
  expect(await inbox.accept({ guid, lane: 'a', event: '{}' })).toBe('known');
});

it('waits longer from try to try, never longer than 5 s', () => {
  expect([1, 2, 3, 4, 5, 1_000].map(backoffMs)).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});
