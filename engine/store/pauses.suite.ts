import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Store } from './store.ts';

/** `others`: the same database through connections of their own, as far as there may be some. */
export function pausesSuite(store: () => Store, others: () => readonly Store[]): void {
  it('says to all who ask how long somebody wants to be left in peace, by the longest that was told', async () => {
    const who = randomUUID();
    const asked = () => Promise.all([store(), ...others()].map(({ pauses }) => pauses(who).left()));
    for (const ms of await asked()) expect(ms).toBe(0);
    await store().pauses(who).tell(60_000);
    await (others()[0] ?? store()).pauses(who).tell(5_000);
    for (const ms of await asked()) {
      expect(ms).toBeGreaterThan(5_000);
      expect(ms).toBeLessThanOrEqual(60_000);
    }
    expect(await store().pauses(randomUUID()).left()).toBe(0);
  });

  it('forgets a pause once it is over, and believes none of more than an hour', async () => {
    const who = randomUUID();
    await store().pauses(who).tell(0.4);
    await expect.poll(() => store().pauses(who).left()).toBe(0);
    await store().pauses(who).tell(1e12);
    expect(await store().pauses(who).left()).toBeLessThanOrEqual(3_600_000);
  });
}
