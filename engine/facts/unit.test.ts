import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { unitFact } from './unit.ts';

const query = { fact: 'unit' as const, key: 'a b.service' };

/** Runs the fact with a systemctl that prints this. */
function read(output: string): string {
  const script = unitFact.read([query, { fact: 'unit', key: 'two.timer' }]).text;
  return execFileSync('sh', ['-c', `systemctl() { printf '%s' "$OUT"; }\n${script}`], {
    encoding: 'utf8',
    env: { ...process.env, OUT: output },
  });
}

describe('the unit fact', () => {
  it('gives every unit its block, whatever order systemd prints properties in', () => {
    const out = read(
      'ActiveState=activating\nLoadState=loaded\nUnitFileState=enabled\nType=simple\nCanReload=yes\n\nLoadState=not-found\nActiveState=inactive\n',
    );
    expect(out.split('\n').filter((line) => !line.startsWith('~'))).toEqual([
      '= a%20b.service',
      'unit loaded enabled active',
      '= two.timer',
      'unit not-found - inactive',
      '',
    ]);
  });

  it('says so where systemd does not run', () => {
    expect(read('')).toBe(
      '= a%20b.service\nunit no-systemd - inactive\n= two.timer\nunit no-systemd - inactive\n',
    );
  });

  it('takes one that is starting for active, and one that failed for inactive', () => {
    const lines = ['unit loaded static inactive', '~ activity failed', '~ reload yes', '~ type oneshot'];
    expect(unitFact.parse(lines, query)).toEqual({
      present: true,
      load: 'loaded',
      file: 'static',
      active: false,
      activity: 'failed',
      fragment: '',
      canReload: true,
      type: 'oneshot',
      remains: false,
    });
  });

  it.each([[[]], [['unit loaded']], [['loaded enabled active']]])('refuses %j', (lines) => {
    expect(() => unitFact.parse(lines, query)).toThrow(/^a b\.service: the host answered a unit state/);
  });
});
