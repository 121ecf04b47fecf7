import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sh } from '../shell/sh.ts';
import type { HostTarget } from './target.ts';
import { childrenOf, OTHER_KEY, sshdMissing, startSshd, type TestSshd } from './testing/sshd.ts';

const limit = { timeoutSeconds: 20 };

describe.skipIf(sshdMissing() !== undefined)('connections that nobody uses', { timeout: 60_000 }, () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  test('an idle connection closes by itself', async () => {
    const before = childrenOf(sshd.pid).length;
    const using = sshd.transport({ idleMs: 50 });
    await using.withSession(sshd.target(), (s) => s.run(sh`true`, limit));
    await until(() => childrenOf(sshd.pid).length === before);
    const again = await using.withSession(sshd.target(), (s) => s.run(sh`echo again`, limit));
    expect(again.stdout).toBe('again\n');
  });

  test('of too many idle connections the one that is unused longest closes', async () => {
    const before = new Set(childrenOf(sshd.pid));
    const connections = () => childrenOf(sshd.pid).filter((pid) => !before.has(pid));
    const using = sshd.transport({ maxIdle: 1 });
    const visit = (target: HostTarget) => using.withSession(target, (s) => s.run(sh`true`, limit));
    const one = sshd.target();
    // the same server, but a place of its own in the pool
    const other = sshd.target({ hostKeys: [...one.hostKeys, OTHER_KEY] });
    await visit(one);
    const [first] = connections();
    await visit(other);
    await until(() => connections().length === 1);
    const [second] = connections();
    expect(second).not.toBe(first);
    await visit(other);
    expect(connections()).toEqual([second]);
    // one that is in use is none of the idle
    await using.withSession(one, async () => {
      await visit(other);
      expect(connections()).toHaveLength(2);
      expect(connections()).toContain(second);
    });
    await until(() => connections().length === 1);
    expect(connections()).not.toContain(second);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('not within 20 s');
    await sleep(20);
  }
}
