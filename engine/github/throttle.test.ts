import { describe, expect, test } from 'vitest';
import { installationLimits } from './budget.ts';
import { type Clock, createThrottle, type Pauses } from './throttle.ts';

/** Time goes on only when everything sleeps, to the first that wakes. */
function fakeClock(): Clock & { readonly run: () => Promise<void> } {
  let now = 0;
  let sleeping: { readonly until: number; readonly wake: () => void }[] = [];
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    sleep: (ms) => new Promise((wake) => sleeping.push({ until: now + ms, wake })),
    run: async () => {
      for (await settle(); sleeping.length > 0; await settle()) {
        now = Math.min(...sleeping.map(({ until }) => until));
        const due = sleeping.filter(({ until }) => until <= now);
        sleeping = sleeping.filter(({ until }) => until > now);
        for (const { wake } of due) wake();
      }
    },
  };
}

/** As octokit throws it. */
function answered(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Error {
  return Object.assign(new Error(message), { status, response: { status, headers, data: {} } });
}

function limitedBy(status: 403 | 429, headers: Readonly<Record<string, string>>): Error {
  return answered(status, 'You have exceeded a secondary rate limit', headers);
}

function world(writesPerMinute = 75) {
  const clock = fakeClock();
  const limited: number[] = [];
  const throttle = createThrottle(installationLimits(writesPerMinute), (s) => limited.push(s), clock);
  const sent: number[] = [];
  const ok = async (): Promise<void> => void sent.push(clock.now());
  return { clock, limited, throttle, sent, ok };
}

describe('what is over the bound', () => {
  test('waits where that is short, in order, and is left to its caller where it is long', async () => {
    const { clock, throttle, sent, ok } = world(10);
    const order: number[] = [];
    const slow = async (): Promise<void> => {
      await clock.sleep(1_000);
      await ok();
    };
    const first = Array.from({ length: 10 }, () => throttle.send('write', slow));
    await clock.run();
    await Promise.all(first);
    await expect(throttle.send('write', ok)).rejects.toMatchObject({
      type: 'github-rate-limited',
      retryAfterSeconds: 60,
    });
    expect(sent).toHaveLength(10);
    void throttle.send('read', () => clock.sleep(56_000));
    await clock.run();
    const later = [1, 2, 3].map((n) => throttle.send('write', async () => void order.push(n)));
    await clock.run();
    await Promise.all(later);
    expect(order).toEqual([1, 2, 3]);
    expect(clock.now()).toBe(61_000);
  });

  test('is not what is read', async () => {
    const { clock, throttle, sent, ok } = world(10);
    const all = Array.from({ length: 10 }, () => throttle.send('write', ok));
    await clock.run();
    await Promise.all(all);
    await throttle.send('read', ok);
    expect(sent).toHaveLength(11);
  });
});

test('twenty are under way at most, and a token is got for each of them all the same', async () => {
  const { clock, throttle } = world();
  let active = 0;
  let most = 0;
  const all = Array.from({ length: 70 }, (_, n) =>
    throttle.send(n % 2 === 0 ? 'read' : 'write', async () => {
      active += 1;
      most = Math.max(most, active);
      await throttle.send('token', () => clock.sleep(10));
      active -= 1;
    }),
  );
  await clock.run();
  await Promise.all(all);
  expect(most).toBe(20);
});

describe('an answer that limits', () => {
  test.each([
    ['403 with Retry-After', limitedBy(403, { 'retry-after': '90' }), 90],
    ['429 with Retry-After', limitedBy(429, { 'retry-after': '30' }), 30],
    ['429 that says nothing more', limitedBy(429, {}), 60],
  ])('%s: nothing at all is sent until it ends', async (_, answer, seconds) => {
    const { clock, limited, throttle, sent, ok } = world();
    const refused = throttle.send('read', () => Promise.reject(answer));
    await expect(refused).rejects.toBe(answer);
    expect(limited).toEqual([seconds]);
    expect(throttle.spare()).toBe(false);
    for (const sort of ['read', 'write', 'token'] as const)
      await expect(throttle.send(sort, ok)).rejects.toMatchObject({
        type: 'github-rate-limited',
        retryAfterSeconds: Math.min(60, seconds),
      });
    void clock.sleep(seconds * 1000 - 1_500);
    await clock.run();
    // the end is near enough to wait for it
    const waiting = (['read', 'write', 'token'] as const).map((sort) => throttle.send(sort, ok));
    await clock.run();
    await Promise.all(waiting);
    expect(sent).toEqual([seconds, seconds, seconds].map((s) => s * 1000));
  });

  test('stops also what waited for its turn', async () => {
    const { clock, throttle, sent, ok } = world(10);
    const all = Array.from({ length: 10 }, () => throttle.send('write', ok));
    await clock.run();
    await Promise.all(all);
    void clock.sleep(57_000);
    await clock.run();
    const waiting = throttle.send('write', ok);
    const refused = throttle.send('read', () => Promise.reject(limitedBy(403, { 'retry-after': '90' })));
    await expect(refused).rejects.toThrow('secondary rate limit');
    const caught = expect(waiting).rejects.toMatchObject({ type: 'github-rate-limited' });
    await clock.run();
    await caught;
    expect(sent).toHaveLength(10);
  });

  test('is waited for where it is short, once', async () => {
    const { clock, throttle } = world();
    const tried: number[] = [];
    const short = limitedBy(403, { 'retry-after': '2' });
    const twice = throttle.send('write', async () => {
      tried.push(clock.now());
      throw short;
    });
    const caught = expect(twice).rejects.toBe(short);
    await clock.run();
    await caught;
    expect(tried).toEqual([0, 2_000]);
  });

  test('403 that is a refusal stops nothing', async () => {
    const { throttle, sent, ok } = world();
    const refusal = answered(403, 'Resource not accessible by integration');
    await expect(throttle.send('read', () => Promise.reject(refusal))).rejects.toBe(refusal);
    await throttle.send('read', ok);
    expect(sent).toHaveLength(1);
  });
});

describe('what GitHub tells one process', () => {
  /** Two processes that share one store, and how often they asked it. */
  const two = () => {
    const clock = fakeClock();
    let until = 0;
    const asked: number[] = [];
    const pauses: Pauses = {
      tell: async (ms) => {
        until = Math.max(until, clock.now() + ms);
      },
      left: async () => {
        asked.push(clock.now());
        return Math.max(0, until - clock.now());
      },
    };
    const process = (shared = pauses) =>
      createThrottle(installationLimits(75), () => undefined, clock, shared);
    return { clock, asked, process };
  };
  const limits = () => Promise.reject(limitedBy(403, { 'retry-after': '90' }));

  test('holds for the others too, 0.2 s later at most, and for one that starts meanwhile', async () => {
    const { clock, asked, process } = two();
    const [one, other] = [process(), process()];
    await other.send('read', async () => undefined);
    await expect(one.send('write', limits)).rejects.toThrow('secondary rate limit');
    void clock.sleep(200);
    await clock.run();
    const sent: string[] = [];
    for (const throttle of [other, process()])
      for (const sort of ['read', 'token'] as const)
        await expect(throttle.send(sort, async () => void sent.push(sort))).rejects.toMatchObject({
          type: 'github-rate-limited',
        });
    expect([other.spare(), sent]).toEqual([false, []]);
    expect(asked).toEqual([0, 0, 200, 200]);
    void clock.sleep(90_000);
    await clock.run();
    await other.send('read', async () => void sent.push('after'));
    expect(sent).toEqual(['after']);
  });

  test('is heard by each for itself while the store does not answer', async () => {
    const fails = () => Promise.reject(new Error('the store is away'));
    const throttle = two().process({ tell: fails, left: fails });
    expect(await throttle.send('read', async () => 'sent')).toBe('sent');
    await expect(throttle.send('read', limits)).rejects.toThrow('secondary rate limit');
    await expect(throttle.send('read', async () => 'sent')).rejects.toMatchObject({
      type: 'github-rate-limited',
    });
  });
});
