import { describe, expect, test } from 'vitest';
import type { Plan, Step } from '../plan/step.ts';
import { aStep } from '../plan/testing.ts';
import { disturbsServices } from './steady.ts';

const planOf = (disruption: Step['disruption']): Plan => ({
  kind: 'plan',
  hosts: [
    { kind: 'host-plan', host: 'web-1', steps: [aStep, { ...aStep, disruption }], findings: [], digest: '' },
  ],
  digest: '',
});

describe('probes wait', () => {
  test.each(['reload', 'restart', 'failover', 'reboot'] as const)('for what a %s ends', (disruption) => {
    expect(disturbsServices(planOf(disruption), ['web-1', 'web-2'])).toBe(true);
  });

  test('for nothing where no service is disturbed', () => {
    expect(disturbsServices(planOf('none'), ['web-1'])).toBe(false);
    expect(disturbsServices(planOf('restart'), ['web-2'])).toBe(false);
  });
});
