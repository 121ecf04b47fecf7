import { describe, expect, test } from 'vitest';
import { render } from './render.ts';
import { hostPlan, plan, planView, reload, step } from './testing.ts';

describe('the title of a plan', () => {
  test.each([
    [
      [reload(), reload({ params: { unit: 'php-fpm.service' } })],
      '2 changes on 1 server; nginx and php-fpm reload; fully reversible',
    ],
    [
      [step({ disruption: 'restart', before: { 'unit:postgresql.service': 'x' } })],
      '1 change on 1 server; postgresql restarts; fully reversible',
    ],
    [
      [step({ disruption: 'reboot', params: { unit: 'x.service' } })],
      '1 change on 1 server; web-1 reboots; fully reversible',
    ],
    [
      [step({ reversible: 'no' }), step({ reversible: 'best-effort' })],
      '2 changes on 1 server; nothing is interrupted; 1 change cannot be undone',
    ],
    [
      [step({ reversible: 'best-effort' })],
      '1 change on 1 server; nothing is interrupted; 1 change undone only as far as possible',
    ],
  ])('%#', (steps, title) => {
    expect(render(planView({ plan: plan(hostPlan('web-1', steps)) })).title).toBe(title);
  });
});
