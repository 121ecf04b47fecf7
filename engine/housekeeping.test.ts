import { expect, test, vi } from 'vitest';
import { keepHouse } from './housekeeping.ts';
import { createLogger } from './log.ts';

test('once a day the log of the engine says where the audit log stands', async () => {
  vi.useFakeTimers();
  const log = createLogger('silent');
  const told = vi.spyOn(log, 'info');
  let head = 'a'.repeat(64);
  const prune = async (): Promise<number> => 0;
  const aged = { plans: { prune }, blobs: { prune }, runHosts: { prune }, pushes: { prune } };
  const store = { audit: { head: async () => head }, ...aged };
  const end = keepHouse(store, log);
  await vi.advanceTimersByTimeAsync(1_000);
  head = 'b'.repeat(64);
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  end();
  vi.useRealTimers();
  const said = expect.stringContaining('doaas audit --verify --expect');
  expect(told.mock.calls).toEqual([
    [{ head: 'a'.repeat(64) }, said],
    [{ head: 'b'.repeat(64) }, said],
  ]);
});
