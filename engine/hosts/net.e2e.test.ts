import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type GuardedHost, guardedHost } from '../../test/guardedHost.ts';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';
import { rulesetText } from '../kinds/firewall/ruleset.ts';
import type { DesiredFirewall } from '../kinds/firewall/spec.ts';
import { CLOSED } from '../kinds/firewall/testing/spec.ts';
import { useTestHost } from '../operations/testing/cycle.ts';
import type { ResolvedConfiguration } from '../spec/configuration.ts';
import { confirmBatch, verdictOf } from './confirmBatch.ts';

/** The timer of the host, and what a loaded machine needs to start a process. */
const LATE_MAX_SECONDS = 2;

describe('confirm or revert on a real host', { timeout: 300_000 }, () => {
  const t = useTestHost();
  let guarded: GuardedHost;
  beforeAll(() => {
    guarded = guardedHost(t.host());
  });
  afterAll(() => guarded.close());

  const sshd = (text: string): Partial<ResolvedConfiguration> => ({
    files: {
      '/etc/ssh/sshd_config.d/own.conf': {
        state: 'file',
        content: guarded.payload(text),
        mode: '0644',
        owner: 'root',
        group: 'root',
        notify: { reload: [], restart: ['ssh.service'] },
      },
    },
  });
  const HARMLESS = 'MaxAuthTries 5\n';
  const journal = async (run: string, of: 'apply' | 'undo') =>
    (await t.outside(`cat /var/lib/doaas/runs/${run}/${of}.journal 2>/dev/null || :`))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  const takenBack = (run: string) =>
    waitFor(`${run} to be taken back`, 60_000, async () =>
      (await journal(run, 'undo')).some(([, , event, detail]) => event === 'end' && detail === 'rolled-back'),
    );
  /** Units that systemd knows, on disk or in memory, and the mark of an armed net. */
  const left = () =>
    t.outside(
      `systemctl list-units --all --plain --no-legend 'doaas-*'; systemctl --failed --no-legend; find /etc/systemd/system /run -xdev -name '*doaas-*'`,
    );
  const gone = () => waitFor('nothing of it to be left', 60_000, async () => (await left()) === '');
  /** When the timer of the net began to run that is set now; seconds since 1970. */
  const timerBegan = async (run: string) =>
    Number(
      await t.outside(
        `timer=doaas-${run}-net-$(cat /var/lib/doaas/runs/${run}/net/timer).timer; date +%s.%N -d "$(systemctl show --timestamp=us -p ActiveEnterTimestamp --value "$timer")"`,
      ),
    );
  const isArmed = async (run: string) => (await left()).includes(`doaas-${run}-boot.service`);

  it('keeps what a fresh login confirms, once and for all, and nothing of the net is left', async () => {
    await t.unchanged(async () => {
      expect((await guarded.apply(sshd(HARMLESS), 'kept', 60)).end).toBe('applied');
      expect(await isArmed('kept')).toBe(true);
      expect(await guarded.prove('kept', 60)).toEqual({ kind: 'confirmed' });
      await gone();
      expect(await guarded.prove('kept', 60)).toEqual({ kind: 'confirmed' });
      expect((await guarded.again('kept')).end).toBe('applied');
      await t.outside(
        'sh /var/lib/doaas/runs/kept/batch.sh net-fire; sh /var/lib/doaas/runs/kept/batch.sh net-boot',
      );
      expect(await t.outside('cat /etc/ssh/sshd_config.d/own.conf')).toBe(HARMLESS);
      expect((await guarded.undo('kept')).end).toBe('rolled-back');
    });
  });

  it('takes back in time what shuts the login out, and says why; it is not applied again', async () => {
    await t.unchanged(async () => {
      const seconds = 12;
      expect((await guarded.apply(sshd('AllowUsers root\n'), 'out', seconds)).end).toBe('applied');
      const began = await timerBegan('out');
      expect(await guarded.prove('out', seconds)).toMatchObject({
        kind: 'reverted',
        because: expect.stringMatching(/refused the login/),
      });
      await takenBack('out');
      const lines = await journal('out', 'apply');
      const at = (event: string) => Number(lines.findLast((line) => line[2] === event)?.[0]);
      // the window begins when the last step is done, a moment before the host tells of the end
      expect(began).toBeGreaterThanOrEqual(at('done'));
      expect(at('reverted') - began).toBeGreaterThan(seconds - 0.2);
      const applied = Number(lines.find((line) => line[2] === 'end')?.[0]);
      expect(at('reverted') - applied - seconds).toBeLessThan(LATE_MAX_SECONDS);
      expect((await guarded.again('out')).end).toBe('reverted');
      expect((await guarded.undo('out')).end).toBe('rolled-back');
      await gone();
    });
  });

  it('waits where nothing can be written when its time is over, and takes back as soon as it can', async () => {
    await t.unchanged(async () => {
      await guarded.apply(sshd('AllowUsers root\n'), 'stuck', 15);
      await t.outside('mount --bind /var/lib/doaas /var/lib/doaas; mount -o remount,bind,ro /var/lib/doaas');
      await waitFor('its time to be over', 60_000, async () =>
        (await t.outside('systemctl is-active doaas-stuck-net-a doaas-stuck-net-b || :'))
          .split('\n')
          .includes('active'),
      );
      // at boot it could not be told either, and is not given up
      await t.outside('sh /var/lib/doaas/runs/stuck/batch.sh net-boot 2> /dev/null || :');
      expect(await isArmed('stuck')).toBe(true);
      expect(await journal('stuck', 'undo')).toEqual([]);
      await t.outside('mount -o remount,bind,rw /var/lib/doaas');
      await takenBack('stuck');
      await gone();
      // for those that still have a file of it open
      await t.outside('umount --lazy /var/lib/doaas');
    });
  });

  it('refuses to be confirmed once its time was over', async () => {
    await guarded.apply(sshd(HARMLESS), 'late', 1);
    await takenBack('late');
    const asked = await t.harness().session((session) => confirmBatch(session, 'late'));
    expect(asked).toBe('reverted');
    await gone();
  });

  it("is disarmed by the engine's own undo", async () => {
    await t.unchanged(async () => {
      await guarded.apply(sshd(HARMLESS), 'undone', 60);
      expect((await guarded.undo('undone')).end).toBe('rolled-back');
      await gone();
      expect(await t.harness().session((session) => verdictOf(session, 'undone'))).toBe('reverted');
    });
  });

  it("takes back what was begun when the batch's unit is killed and nobody comes back", async () => {
    await t.unchanged(async () => {
      const slow = { check: 'false', apply: 'sleep 60', undo: ':', timeoutSeconds: 90 };
      const cut = guarded.apply({ ...sshd(HARMLESS), scripts: { slow } }, 'cut', 2).catch(() => undefined);
      await waitFor('its last step', 20_000, async () =>
        (await journal('cut', 'apply')).some(
          ([, step, event]) => step?.includes('slow') && event === 'started',
        ),
      );
      await t.outside('systemctl kill -s KILL doaas-cut-apply.service');
      await cut;
      await takenBack('cut');
      expect((await guarded.again('cut')).end).toBe('reverted');
      await gone();
    });
  });

  it('takes it back while the host boots, before sshd and the firewall are up', async () => {
    await t.unchanged(async () => {
      const nft =
        'flush ruleset\ntable inet own {\n chain in {\n  type filter hook input priority 0; policy drop;\n }\n}\n';
      const { files } = sshd('AllowUsers root\n');
      const spec = {
        files: {
          ...files,
          '/etc/nftables.conf': {
            state: 'file' as const,
            content: guarded.payload(`#!/usr/sbin/nft -f\n${nft}`),
            mode: '0755',
            owner: 'root',
            group: 'root',
            notify: { reload: [], restart: [] },
          },
        },
        units: { 'nftables.service': { state: 'present' as const, enabled: true } },
      };
      expect((await guarded.apply(spec, 'boot', 600)).end).toBe('applied');
      await t.host().kill();
      await t.host().start();
      await takenBack('boot');
      expect((await journal('boot', 'apply')).at(-2)?.[3]).toBe(
        'the server was restarted before it was confirmed',
      );
      expect((await guarded.again('boot')).end).toBe('reverted');
      expect(await t.outside('nft list tables')).toBe('');
      await gone();
    });
  });

  it("takes the engine's own firewall back while the host boots, before that is loaded", async () => {
    const firewall = (more: Partial<DesiredFirewall>): Wanted => {
      const desired = { ...CLOSED, ...more };
      const script = guarded.payload(rulesetText(desired));
      return [testDocument('Firewall', { desired, script, probes: [] })];
    };
    await t.unchanged(async () => {
      expect((await guarded.apply(firewall({}), 'open', 60)).end).toBe('applied');
      expect(await guarded.prove('open', 60)).toEqual({ kind: 'confirmed' });
      const before = await t.outside('nft -s list table inet doaas');
      const management = { ...CLOSED.management, from: ['192.0.2.0/24'] };
      expect((await guarded.apply(firewall({ management }), 'shut', 600)).end).toBe('applied');
      await t.host().kill();
      await t.host().start();
      await takenBack('shut');
      const lines = (await t.outside('journalctl -b -q -o cat')).split('\n');
      const at = (text: string) => lines.findIndex((line) => line.includes(text));
      expect(at('Finished doaas-shut-boot.service')).toBeGreaterThan(-1);
      expect(at('Starting doaas-firewall.service')).toBeGreaterThan(at('Finished doaas-shut-boot.service'));
      expect(await t.outside('nft -s list table inet doaas')).toBe(before);
      await waitFor('nothing of it to be left but the firewall', 60_000, async () =>
        (await left()).split('\n').every((line) => line === '' || line.includes('doaas-firewall')),
      );
      expect((await guarded.undo('open')).end).toBe('rolled-back');
    });
  });
});
