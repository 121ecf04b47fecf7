import { describe, expect, it } from 'vitest';
import { restartsText } from './restarts.ts';

describe('what still runs code that was replaced', () => {
  const known = { kind: 'known', version: '3.6-4+deb12u3', units: [], deferred: [] } as const;

  it('is named, with how it ends', () => {
    expect(restartsText(known)).toBeUndefined();
    expect(
      restartsText({
        ...known,
        units: ['ssh.service'],
        deferred: ['dbus.service'],
        leftovers: ['cron.service'],
        oneshots: ['backup.service'],
      }),
    ).toBe(
      'Still run what was replaced: ssh.service, dbus.service (until a reboot), cron.service (processes from before its last start, until they end), backup.service (until it ends).',
    );
  });

  it('is not known without a needrestart that may be run', () => {
    const unknown = 'Which services still run what was replaced is not known: ';
    expect(restartsText({ kind: 'absent' })).toBe(`${unknown}needrestart is not installed.`);
    expect(restartsText({ kind: 'vulnerable', version: '3.6-4' })).toBe(
      `${unknown}needrestart has known holes there, so it is not run.`,
    );
    expect(restartsText({ kind: 'failed', version: '3.8' })).toBe(`${unknown}needrestart failed.`);
  });
});
