import { expect, test } from 'vitest';
import { ignoredOf, ignoresStep, isIgnored } from './ignored.ts';

test.each([
  ['path:/etc/motd', '/etc/motd', true],
  ['path:/etc/motd.d/a', '/etc/motd', false],
  ['path:/srv/app/log/x.log', '/srv/app/**', true],
  ['path:/srv/app/x.log', '/srv/*/*.log', true],
  ['unit:cron.service', 'unit:cron.*', true],
  ['unit:cron.service', '/cron.service', false],
  ['package:cron', 'unit:cron', false],
  ['sysctl:net.ipv4.ip_forward', 'sysctl:net.*', true],
])('%s is meant by %s: %s', (item, pattern, expected) => {
  expect(isIgnored(item, [pattern])).toBe(expected);
});

test('a step is ignored when all that it is about is; the file of a unit goes with the unit', () => {
  const unit = { before: { 'unit:app.service': 'a', 'path:/etc/systemd/system/app.service': 'b' } };
  expect(ignoresStep(unit, ['unit:app.service'])).toBe(true);
  expect(ignoresStep(unit, ['/etc/systemd/system/app.service'])).toBe(false);
  const packages = { before: { 'package:a': 'x', 'package:b': 'y' } };
  expect(ignoresStep(packages, ['package:a'])).toBe(false);
  expect(ignoredOf(packages, ['package:b'])).toBe('package:b');
  expect(ignoresStep({ before: {} }, ['/**'])).toBe(false);
});
