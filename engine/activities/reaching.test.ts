import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { afterEach, expect, test, vi } from 'vitest';
import { HostError } from '../hosts/host-error.ts';
import type { HostTarget } from '../hosts/target.ts';
import type { Engine } from './engine.ts';
import { reaching } from './reaching.ts';

afterEach(() => {
  vi.useRealTimers();
});

test.each([7200, -7200])('a clock that is set by %d s makes no host silent or heard', async (seconds) => {
  const lost = new HostError('unreachable', 'web-1', 'nothing there');
  const engine = {
    config: { hostOutageSeconds: 0.3 },
    transport: { withSession: () => Promise.reject(lost) },
  } as unknown as Engine;
  const context = { info: { activityId: `a${seconds}`, workflowExecution: { runId: 'r' } } } as Context;
  const again = () =>
    asyncLocalStorage.run(context, () =>
      reaching(engine, { name: 'web-1' } as HostTarget, async () => undefined),
    );
  await expect(again()).rejects.toBe(lost);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  await expect(again()).rejects.toBe(lost);
  await vi.waitFor(() => expect(again()).rejects.toMatchObject({ type: 'host-silent' }), 3_000);
});
