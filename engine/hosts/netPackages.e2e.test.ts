import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APT_CACHE_PORT } from '../../lab/settings.ts';
import { waitFor } from '../../lab/wait.ts';
import { type GuardedHost, guardedHost } from '../../test/guardedHost.ts';
import { useTestHost } from '../operations/testing/cycle.ts';

const CUT = `nft add table inet cut; nft add chain inet cut out '{ type filter hook output priority 0; }'; nft add rule inet cut out tcp dport ${APT_CACHE_PORT} reject with tcp reset`;

/** Operations: packages.remove */
describe('a package without which nobody gets in', { timeout: 300_000 }, () => {
  const t = useTestHost();
  let guarded: GuardedHost;
  beforeAll(() => {
    guarded = guardedHost(t.host());
  });
  afterAll(() => guarded.close());

  const without = (name: string) => ({ packages: { [name]: { state: 'absent' as const } } });
  const installed = async (name: string) =>
    (await t.outside(`dpkg-query -W -f '\${db:Status-Status}' ${name}`)).trim();
  const takenBack = (run: string) =>
    waitFor(`${run} to be taken back`, 60_000, async () =>
      (await t.outside(`cat /var/lib/doaas/runs/${run}/undo.journal 2>/dev/null || :`)).includes(
        '\tend\trolled-back',
      ),
    );

  it('comes back with sshd by the host alone, which has no archive then', async () => {
    await t.unchanged(async () => {
      expect((await guarded.apply(without('openssh-client'), 'gone', 30)).end).toBe('applied');
      expect(await installed('openssh-server')).toBe('config-files');
      await t.outside(`apt-get clean; ${CUT}`);
      expect(await guarded.prove('gone', 30)).toMatchObject({
        kind: 'reverted',
        because: expect.stringMatching(/connection refused/),
      });
      await takenBack('gone');
      expect(await t.outside('systemctl is-active ssh')).toBe('active\n');
      expect(await t.outside('ls -d /var/lib/doaas/runs/gone/steps/*/debs 2>/dev/null || echo none')).toBe(
        'none\n',
      );
      await t.outside('nft delete table inet cut');
    });
  });

  it('comes back at the next boot, too', async () => {
    await t.unchanged(async () => {
      expect((await guarded.apply(without('libwrap0'), 'dark', 600)).end).toBe('applied');
      expect(await installed('openssh-server')).toBe('config-files');
      await t.host().kill();
      await t.host().start();
      await takenBack('dark');
      expect(await t.outside('systemctl is-active ssh')).toBe('active\n');
    });
  });

  it('stays where it could not be kept for the way back, and the run says why', async () => {
    await t.unchanged(async () => {
      await t.outside(`apt-get clean; ${CUT}`);
      const result = await guarded.apply(without('openssh-client'), 'kept', 60);
      expect(result.end).toBe('failed');
      expect(result.output).toMatch(
        /a way in is among what goes, and openssh-\S+ \S+ cannot be kept for the way back: .* So nothing was removed\./,
      );
      expect(await installed('openssh-server')).toBe('installed');
      expect(await guarded.prove('kept', 60)).toEqual({ kind: 'confirmed' });
      expect((await guarded.undo('kept')).end).toBe('rolled-back');
      await t.outside('nft delete table inet cut');
    });
  });
});
