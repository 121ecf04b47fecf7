import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { alone, type Pace } from './alone.ts';
import type { Store } from './store.ts';

const PACE: Pace = { silentMaxMs: 2_000, renewEveryMs: 20, lookEveryMs: 5 };

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** `others`: the same database through connections of their own, as far as there may be some. */
export function leasesSuite(store: () => Store, others: () => readonly Store[] = () => []): void {
  const stores = () => [store(), ...others()];
  const { signal } = new AbortController();

  it('gives a name to one holder, and to the next when it lets go or was not heard of', async () => {
    const { leases } = store();
    const name = randomUUID();
    const taken = await Promise.all(['a', 'b', 'c'].map((holder) => leases.take(name, holder)));
    const [{ holder: first } = { holder: '' }] = taken.flatMap((lease) => lease ?? []);
    expect(taken).toEqual([1, 2, 3].map(() => ({ holder: first, beat: 1 })));
    expect(await leases.renew(name, first)).toBe(true);
    expect(await leases.take(name, 'next', { holder: first, beat: 1 })).toEqual({ holder: first, beat: 2 });
    const silent = { holder: first, beat: 2 };
    const after = await Promise.all(['d', 'e'].map((holder) => leases.take(name, holder, silent)));
    expect(new Set(after.map((lease) => lease?.holder)).size).toBe(1);
    expect(await leases.renew(name, first)).toBe(false);
    await leases.release(name, first);
    expect(await leases.take(name, 'f')).toEqual(after[0]);
    await leases.release(name, after[0]?.holder ?? '');
    expect(await leases.take(name, 'f')).toEqual({ holder: 'f', beat: 1 });
  });

  it('does work of one name one after the other, also where one fails; that of another beside it', async () => {
    const name = randomUUID();
    let going = 0;
    let most = 0;
    const work = (fails: boolean) => async () => {
      going += 1;
      most = Math.max(most, going);
      for (let turns = 0; turns < 20; turns += 1) await turn();
      going -= 1;
      if (fails) throw new Error('it failed');
    };
    const all = [0, 1, 2, 3, 4, 5].map((n) => {
      const { leases } = stores()[n % stores().length] ?? store();
      return alone(leases, name, signal, work(n === 2), PACE);
    });
    const done = await Promise.allSettled(all);
    expect(done.map(({ status }) => status === 'rejected')).toEqual([0, 1, 2, 3, 4, 5].map((n) => n === 2));
    expect(most).toBe(1);
    const inside = alone(store().leases, name, signal, () =>
      alone(store().leases, randomUUID(), signal, async () => 'beside', PACE),
    );
    expect(await inside).toBe('beside');
  });

  it('waits for one that works long, and goes on where one has died', async () => {
    const { leases } = store();
    const name = randomUUID();
    const heard = async () => (await leases.take(name, 'looks'))?.beat ?? 0;
    const order: string[] = [];
    let next: Promise<unknown> = Promise.resolve();
    await alone(
      leases,
      name,
      signal,
      async () => {
        const last = stores().at(-1)?.leases ?? leases;
        next = alone(last, name, signal, async () => void order.push('next'), PACE);
        const longAgo = performance.now();
        await expect
          .poll(async () => performance.now() - longAgo > 1.5 * PACE.silentMaxMs && (await heard()) > 2, {
            timeout: 20_000,
          })
          .toBe(true);
        order.push('long');
      },
      PACE,
    );
    await next;
    expect(order).toEqual(['long', 'next']);
    expect(await leases.take(name, 'dead')).toMatchObject({ holder: 'dead' });
    const hasty = { ...PACE, silentMaxMs: 100 };
    expect(await alone(leases, name, signal, async () => 'done', hasty)).toBe('done');
  });

  it('tells work that another has taken over, and leaves that one its place', async () => {
    const { leases } = store();
    const name = randomUUID();
    const standing = alone(
      leases,
      name,
      signal,
      async (held) => {
        await held();
        const mine = await leases.take(name, 'other');
        expect(await leases.take(name, 'other', mine)).toMatchObject({ holder: 'other' });
        await held();
      },
      // its own clock stands still
      { ...PACE, renewEveryMs: 60_000 },
    );
    await expect(standing).rejects.toMatchObject({
      type: 'store-conflict',
      message: expect.stringContaining('Another process has taken over'),
    });
    expect(await leases.take(name, 'third')).toMatchObject({ holder: 'other' });
    const stopping = new AbortController();
    const waiting = alone(leases, name, stopping.signal, async () => undefined, PACE);
    stopping.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });
}
