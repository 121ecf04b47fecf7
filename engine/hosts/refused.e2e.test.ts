import { describe, expect, it } from 'vitest';
import { guardedHost } from '../../test/guardedHost.ts';
import { labTransport, testDocument } from '../../test/hostHarness.ts';
import { until } from '../../test/until.ts';
import { resolvedHardening } from '../kinds/hardening/testing/spec.ts';
import { useTestHost } from '../operations/testing/cycle.ts';
import { REFUSED_MAX } from './proveAccess.ts';

/** Of the jail that Hardening makes. */
const MAXRETRY = 5;

describe('an engine whose login is refused', { timeout: 480_000 }, () => {
  const t = useTestHost();

  it('is not shut out by the fail2ban of Hardening, though the host goes on refusing for all of the proof', async () => {
    const spec = resolvedHardening({ profile: 'strict' });
    const controls = spec.controls.filter(({ id }) => id.startsWith('fail2ban'));
    await t.applied([testDocument('Hardening', { ...spec, controls })]);
    expect(await t.outside('fail2ban-client get sshd maxretry')).toBe(`${MAXRETRY}\n`);
    const guarded = guardedHost(t.host());
    const transport = labTransport(t.host());
    const login = () => transport.withFreshSession(guarded.target, async () => 'in');
    const content = guarded.payload('MaxAuthTries 5\n');
    const owner = { mode: '0644', owner: 'root', group: 'root' };
    const notify = { reload: [], restart: [] };
    const harmless = {
      files: { '/etc/ssh/sshd_config.d/own.conf': { state: 'file' as const, content, ...owner, notify } },
    };
    expect((await guarded.apply(harmless, 'refused', 4)).end).toBe('applied');
    // somebody else's, so no undo takes it away
    await t.outside(
      "printf 'AllowUsers root\\nLogLevel VERBOSE\\n' > /etc/ssh/sshd_config.d/00-other.conf; systemctl restart ssh",
    );
    const counted = async () =>
      Number(
        (await t.outside('fail2ban-client status sshd')).match(/Total failed:\s*(\d+)/)?.[1] ?? Number.NaN,
      );
    const countsUpTo = (refusals: number) =>
      until(
        async () => ((await counted()) >= refusals ? true : undefined),
        `fail2ban to count ${refusals}`,
        30,
        async () => `${await counted()}`,
      );
    const refused = async () =>
      Number(await t.outside("journalctl -u ssh.service --grep 'not allowed because' -o cat | wc -l"));
    expect(await guarded.prove('refused', 4)).toMatchObject({
      kind: 'unheard',
      because: expect.stringMatching(/refused the login/),
    });
    // as the engine does after it, for as long as it waits for a host
    for (let n = 0; n < 10; n += 1)
      await expect(guarded.undo('refused')).rejects.toThrow(/refused the login/);
    const refusals = await refused();
    expect(refusals).toBeGreaterThan(1);
    expect(refusals).toBeLessThanOrEqual(REFUSED_MAX + 1);
    await countsUpTo(refusals);
    expect(await counted()).toBe(refusals);
    expect(await t.outside('fail2ban-client get sshd banip')).toBe('\n');
    // it does count them, of an engine that does not know of the others
    for (let n = refusals; n < MAXRETRY; n += 1) await expect(login()).rejects.toThrow(/refused the login/);
    await until(
      async () => ((await t.outside('fail2ban-client get sshd banip')).trim() === '' ? undefined : true),
      'fail2ban to ban',
      30,
    );
    await t.outside(
      'fail2ban-client unban --all; rm /etc/ssh/sshd_config.d/00-other.conf; systemctl restart ssh',
    );
    expect(await login()).toBe('in');
    await Promise.all([guarded.close(), transport.close()]);
  });
});
