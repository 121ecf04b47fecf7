import { expect, it } from 'vitest';
import { createReceiverMetrics } from '../metrics.ts';
import { StoreError } from '../store/error.ts';
import { watchInbox } from './watch.ts';

const ARRIVAL = { guid: 'g', lane: 'a', event: '{}' };

it('refuses what is over the bound, says so for readyz, and takes again when there is room', async () => {
  let waiting = 3;
  const metrics = createReceiverMetrics();
  const oldestAt = Date.now() - 60_000;
  const inbox = { accept: async () => 'new' as const, state: async () => ({ waiting, oldestAt }) };
  const watched = watchInbox(inbox, metrics, 3);
  await expect(watched.check()).rejects.toThrow('3 deliveries wait to be handed on to Temporal');
  await expect(watched.accept(ARRIVAL)).rejects.toThrow('no more are taken');
  const text = await metrics.registry.metrics();
  expect(text).toContain('doaas_inbox_waiting 3');
  expect(text).toMatch(/doaas_inbox_oldest_seconds 60(\.\d+)?/);
  waiting = 2;
  await watched.check();
  expect(await watched.accept(ARRIVAL)).toBe('new');
  watched.stop();
});

it('names a failed write for readyz until one succeeds', async () => {
  let full = true;
  const accept = async () => {
    if (full) throw new Error('the disk is full');
    return 'new' as const;
  };
  const state = async () => ({ waiting: 0, oldestAt: undefined });
  const watched = watchInbox({ accept, state }, createReceiverMetrics());
  await watched.check();
  await expect(watched.accept(ARRIVAL)).rejects.toThrow('full');
  await expect(watched.check()).rejects.toThrow('the disk is full');
  full = false;
  await watched.accept(ARRIVAL);
  await watched.check();
  watched.stop();
});

it('takes a delivery whose store came back in a moment', async () => {
  let down = true;
  const accept = async () => {
    if (!down) return 'new' as const;
    down = false;
    throw new StoreError('store-unavailable', 'the connection broke');
  };
  const watched = watchInbox(
    { accept, state: async () => ({ waiting: 0, oldestAt: undefined }) },
    createReceiverMetrics(),
  );
  expect(await watched.accept(ARRIVAL)).toBe('new');
  await watched.check();
  watched.stop();
});
