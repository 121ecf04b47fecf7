import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, type LabHost, openLab } from '../../lab/hosts.ts';
import { type HostHarness, hostHarness } from '../../test/hostHarness.ts';

const OURS = '4711';
const THEIRS = '815';
const lock = (number: number, store = OURS) => ({ store, number });

describe('a host that is shown the numbers of locks', { timeout: 120_000 }, () => {
  let lab: Lab;
  let host: LabHost;
  let harness: HostHarness;
  beforeAll(async () => {
    lab = await openLab({});
    [host] = (await lab.up(1)) as [LabHost];
    harness = hostHarness(host);
  }, 180_000);
  afterAll(async () => {
    await harness?.close();
    await lab?.down();
  });

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const planned = (text: string) => harness.plan({ hostsEntries: { '192.0.2.7': [text] } });
  const said = (wanted: string, seen: number, shown: number) =>
    new RegExp(
      `^host-1 was given to a later run \\(lock ${seen}\\) than the one that the run \\S+ had \\(lock ${shown}\\), so it may not ${wanted} there any more; nothing was changed$`,
    );

  it('takes the same and higher ones, refuses lower ones, and keeps what it has seen', async () => {
    const first = await harness.applyPlan(await planned('one'), lock(7));
    expect(first.end).toBe('applied');
    const late = await planned('late');
    const before = await on('cat /etc/hosts; ls -R /var/lib/doaas/items');
    await expect(harness.applyPlan(late, lock(6))).rejects.toThrow(said('apply', 7, 6));
    await expect(harness.applyPlan(late, lock(6))).rejects.toMatchObject({ type: 'fenced' });
    expect(await on('cat /etc/hosts; ls -R /var/lib/doaas/items')).toBe(before);
    expect((await harness.applyPlan(await planned('again'), lock(7))).end).toBe('applied');
    expect(await on(`cat /var/lib/doaas/fences/${OURS}; stat -c "%a %U" /var/lib/doaas/fences`)).toBe(
      '7\n700 root',
    );
  });

  it('refuses the undo of somebody who comes late too, and does that of the present holder', async () => {
    const run = await harness.applyPlan(await planned('mine'), lock(9));
    const before = await on('cat /etc/hosts');
    await expect(harness.undo(run.run, false, lock(8))).rejects.toThrow(said('undo', 9, 8));
    await expect(harness.undo(run.run, true, lock(8))).rejects.toThrow(said('undo-late', 9, 8));
    expect(await on(`cat /etc/hosts; ls /var/lib/doaas/runs/${run.run}/cancel 2>/dev/null`)).toBe(before);
    expect((await harness.undo(run.run, false, lock(10))).end).toBe('rolled-back');
    expect(await on('cat /etc/hosts')).not.toBe(before);
  });

  it('does not compare the numbers of another store, nor forgets them in a reboot', async () => {
    expect((await harness.applyPlan(await planned('theirs'), lock(1, THEIRS))).end).toBe('applied');
    await host.kill();
    await host.start();
    await expect(harness.applyPlan(await planned('reboot'), lock(9))).rejects.toThrow(said('apply', 10, 9));
  });
});
