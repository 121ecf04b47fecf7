import { describe, expect, it } from 'vitest';
import type { Step } from '../plan/step.ts';
import { aStep } from '../plan/testing.ts';
import { answeredFor } from './verified.ts';

const step = (id: string, more: Partial<Step> = {}): Step => ({
  ...aStep,
  id,
  before: { [`sysctl:${id}`]: 'x' },
  ...more,
});

describe('what a run answers for when it is verified', () => {
  it('is all that planning again would do', () => {
    const answers = answeredFor([step('a')], false);
    expect([step('a'), step('b')].map(answers)).toEqual([true, true]);
  });

  it('is not what makes way for something that it brought, unless it set that itself', () => {
    const given = step('release:forward', {
      document: 'Hardening/base',
      operation: 'item.release',
      before: { 'sysctl:forward': 'x' },
    });
    expect(answeredFor([step('other')], false)(given)).toBe(false);
    expect(answeredFor([step('forward')], false)(given)).toBe(true);
    expect(answeredFor([step('forward', { host: 'web-2' })], false)(given)).toBe(false);
    expect(answeredFor([given], false)(given)).toBe(true);
    expect(answeredFor([], false)({ ...given, document: 'Configuration/base' })).toBe(true);
  });

  it('is not what is out of use since it stopped that, but what a document wants away', () => {
    const away = step('cups', { operation: 'packages.remove', document: 'Hardening/base' });
    expect(answeredFor([step('stop')], false)(away)).toBe(false);
    expect(answeredFor([step('stop')], false)({ ...away, document: 'Configuration/base' })).toBe(true);
    expect(answeredFor([step('stop')], false)({ ...away, operation: 'sysctl.set' })).toBe(true);
  });

  it('is its own steps only where it is a correction', () => {
    const answers = answeredFor([step('a')], true);
    expect([step('a'), step('b'), step('a', { before: {} })].map(answers)).toEqual([true, false, false]);
  });
});
