import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Inbox, LEASE_MS, openInbox } from './inbox.ts';
import type { StoreLocation } from './store.ts';
import type { Clock } from './values.ts';

/** The same expectations for SQLite and PostgreSQL. Every test empties what it put in. */
export function inboxSuite(name: string, location: () => StoreLocation): void {
  describe(`inbox on ${name}`, () => {
    let inbox: Inbox;
    let time = Date.now();
    const clock: Clock = () => time;
    beforeAll(async () => {
      inbox = await openInbox(location(), clock);
    });
    afterAll(() => inbox?.close());

    const arrival = (lane: string, event = '{}') => ({ guid: randomUUID(), lane, event });
    const guids = (claimed: readonly { readonly guid: string }[]) => claimed.map(({ guid }) => guid);

    it('takes a delivery once, also when it comes twice at the same time', async () => {
      const twice = arrival('a');
      const answers = await Promise.all([inbox.accept(twice), inbox.accept(twice)]);
      expect(answers).toEqual(['new', 'known']);
      expect(await inbox.accept(twice)).toBe('known');
      await inbox.handedOn([twice.guid]);
      expect(await inbox.accept(twice)).toBe('known');
      expect(await inbox.claim(10)).toEqual([]);
    });

    it('gives a lane one after the other, in the order of arrival, and lanes beside each other', async () => {
      const [first, second, other] = [arrival('a', '{"n":1}'), arrival('a', '{"n":2}'), arrival('b')];
      for (const each of [first, second, other]) await inbox.accept(each);
      expect(await inbox.claim(10)).toEqual([
        { ...first, receivedAt: time, tries: 1 },
        { ...other, receivedAt: time, tries: 1 },
      ]);
      expect(await inbox.claim(10)).toEqual([]);
      await inbox.handedOn([first.guid]);
      expect(guids(await inbox.claim(10))).toEqual([second.guid]);
      await inbox.handedOn([second.guid, other.guid]);
    });

    it('gives no more than asked for, oldest first', async () => {
      const all = ['a', 'b', 'c'].map((lane) => arrival(lane));
      for (const each of all) await inbox.accept(each);
      expect(guids(await inbox.claim(2))).toEqual(guids(all.slice(0, 2)));
      expect(guids(await inbox.claim(2))).toEqual(guids(all.slice(2)));
      await inbox.handedOn(guids(all));
    });

    it('gives what was postponed or claimed at once after the clock was set back', async () => {
      const [postponed, claimed] = [arrival('a'), arrival('b')];
      for (const each of [postponed, claimed]) await inbox.accept(each);
      await inbox.claim(2);
      await inbox.postpone(postponed.guid, 5_000);
      time -= 7_200_000;
      expect(guids(await inbox.claim(2))).toEqual([postponed.guid, claimed.guid]);
      expect(await inbox.claim(2)).toEqual([]);
      await inbox.handedOn([postponed.guid, claimed.guid]);
    });

    it('gives what one relay has claimed to no other whose clock is somewhat behind', async () => {
      const claimed = arrival('a');
      await inbox.accept(claimed);
      expect(guids(await inbox.claim(1))).toEqual([claimed.guid]);
      time -= 10_000;
      expect(await inbox.claim(1)).toEqual([]);
      time += 10_000;
      await inbox.handedOn([claimed.guid]);
    });

    it('gives one again when it was postponed, or when who claimed it has died; its lane waits', async () => {
      const [first, second] = [arrival('a'), arrival('a')];
      for (const each of [first, second]) await inbox.accept(each);
      await inbox.claim(1);
      await inbox.postpone(first.guid, 1_000);
      expect(await inbox.claim(1)).toEqual([]);
      time += 1_000;
      expect(await inbox.claim(1)).toMatchObject([{ guid: first.guid, tries: 2 }]);
      expect(await inbox.claim(1)).toEqual([]);
      time += LEASE_MS;
      expect(await inbox.claim(1)).toMatchObject([{ guid: first.guid, tries: 3 }]);
      await inbox.handedOn([first.guid, second.guid]);
    });

    it('says how many wait, and since when', async () => {
      expect(await inbox.state()).toEqual({ waiting: 0, oldestAt: undefined });
      const [first, second] = [arrival('a'), arrival('b')];
      await inbox.accept(first);
      const since = time;
      time += 5_000;
      await inbox.accept(second);
      expect(await inbox.state()).toEqual({ waiting: 2, oldestAt: since });
      await inbox.handedOn([first.guid, second.guid]);
    });

    it('forgets what was handed on long ago, never what waits', async () => {
      const [old, waiting] = [arrival('a'), arrival('b')];
      for (const each of [old, waiting]) await inbox.accept(each);
      await inbox.handedOn([old.guid]);
      expect(await inbox.prune(time)).toBeGreaterThanOrEqual(0);
      expect(await inbox.accept(old)).toBe('known');
      time += 1;
      expect(await inbox.prune(time)).toBeGreaterThan(0);
      expect(await inbox.accept(old)).toBe('new');
      expect(await inbox.accept(waiting)).toBe('known');
      await inbox.handedOn([old.guid, waiting.guid]);
    });
  });
}
