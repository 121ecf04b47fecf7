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

  it('is shown them already by a reading, and by an undo that finds nothing', async () => {
    const mine = await harness.applyPlan(await planned('before'), lock(11));
    await harness.read(lock(12));
    await expect(harness.applyPlan(await planned('late'), lock(11))).rejects.toThrow(said('apply', 12, 11));
    await expect(harness.undo(mine.run, false, lock(11))).rejects.toThrow(said('undo', 12, 11));
    await expect(harness.read(lock(11))).rejects.toMatchObject({
      type: 'fenced',
      message:
        'host-1 was given to a later run (lock 12) than this one (lock 11), so nothing more is done there',
    });
    expect((await harness.undo('never-there', false, lock(13))).end).toBe('rolled-back');
    await expect(harness.undo(mine.run, false, lock(12))).rejects.toThrow(said('undo', 13, 12));
    expect((await harness.undo('never-there', false, lock(12))).end).toBe('rolled-back');
    expect((await harness.undo(mine.run, false, lock(13))).end).toBe('rolled-back');
  });

  it('is read also where it cannot keep them', async () => {
    await on('mount -t tmpfs -o ro tmpfs /var/lib/doaas/fences');
    await harness.read(lock(99)).finally(() => on('umount /var/lib/doaas/fences'));
    await harness.read(lock(13));
  });

  it('does not compare the numbers of another store, nor forgets them in a reboot', async () => {
    expect((await harness.applyPlan(await planned('theirs'), lock(1, THEIRS))).end).toBe('applied');
    await host.kill();
    await host.start();
    await expect(harness.applyPlan(await planned('reboot'), lock(12))).rejects.toThrow(said('apply', 13, 12));
  });
});
