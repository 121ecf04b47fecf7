import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuMs } from '../../../test/cpuMs.ts';
import { isOf } from './follow.ts';

const LIBRARY = readFileSync(new URL('../../operations/patches.sh', import.meta.url), 'utf8');

/** On the host. */
function isOfThere(unit: string, pattern: string): boolean {
  const script = `set -eu\n${LIBRARY}\nif is_one_of "$@"; then echo yes; fi`;
  return (
    execFileSync('sh', ['-c', script, 'sh', unit, 'other.service', pattern], { encoding: 'utf8' }) !== ''
  );
}

describe('a service of restartNever', () => {
  it.each([
    ['postgresql.service', 'postgresql.service', true],
    ['postgresql@15-main.service', 'postgresql.service', true],
    ['postgresql@15-main.service', 'postgresql@15-main.service', true],
    ['postgresql@15-main.service', 'postgresql@*.service', true],
    ['postgresql@15-main.service', 'postgres*.service', true],
    ['postgresql@15-main.service', '*.service', true],
    ['postgresql@15-main.service', 'postgresql@16-main.service', false],
    ['postgresql.service', 'postgresql@*.service', false],
    ['postgresql-exporter.service', 'postgresql.service', false],
    ['my-postgresql.service', 'postgresql.service', false],
    ['postgresqlXservice', 'postgresql.service', false],
    ['phpx.fpm.service', 'php.*.service', false],
    ['systemd-manager', '*.service', false],
    ['postgresql@15-main.service', 'p*g*sql@*-m*n.service', true],
    ['postgresql@15-main.service', 'p*main*main.service', false],
    ['aa.service', 'a*aa.service', false],
    [`${'a'.repeat(200)}.service`, `${'a*'.repeat(4)}b.service`, false],
  ])('%s is of %s: %s', (unit, pattern, expected) => {
    expect(isOf(unit, pattern)).toBe(expected);
    expect(isOfThere(unit, pattern)).toBe(expected);
  });

  it('is looked for in time that no pattern makes long', () => {
    expect(
      cpuMs(() => {
        expect(isOf(`${'a'.repeat(240)}.service`, `${'a*'.repeat(119)}b.service`)).toBe(false);
      }),
    ).toBeLessThan(1_000);
  });
});
