import { describe, expect, it } from 'vitest';
import type { HostPlan, Step } from '../plan/step.ts';
import { aStep } from '../plan/testing.ts';
import { type TakenBack, takenBackFindings } from './takenBack.ts';

const hostPlan = (host: string, ...steps: readonly Step[]): HostPlan => ({
  kind: 'host-plan',
  host,
  steps,
  findings: [],
  digest: '',
});
const taken: TakenBack = {
  pull: 7,
  actor: 'anna',
  revert: 8,
  plan: { hosts: [hostPlan('web-1', aStep, { ...aStep, id: 'file:/b' })] },
};
const drift: Step = { ...aStep, reason: 'drift' };
const messages = (plan: HostPlan) => takenBackFindings(plan, [taken]).map(({ message }) => message);

describe('a plan that would bring back what was rolled back', () => {
  it('says so once for each document, with the revert that is to be merged first', () => {
    const found = takenBackFindings(hostPlan('web-1', drift, { ...drift, id: 'file:/b' }), [taken]);
    expect(found).toEqual([
      {
        kind: 'finding',
        severity: 'warning',
        host: 'web-1',
        document: 'Configuration/web',
        message:
          'Configuration/web has what #7 brought, and anna had that rolled back on web-1. This plan would bring it back: merge its revert, #8, first',
      },
    ]);
  });

  it('also where nobody asked for that, since it failed after its merge', () => {
    const { actor: _, ...failed } = taken;
    const [found] = takenBackFindings(hostPlan('web-1', drift), [failed]);
    expect(found?.message).toBe(
      'Configuration/web has what #7 brought; that failed and was taken back on web-1. This plan would bring it back: merge its revert, #8, first',
    );
  });

  it('also where that was a removal', () => {
    const removal: Step = {
      ...aStep,
      operation: 'item.release',
      params: { item: 'path:/a' },
      reason: 'removal',
    };
    const removed = { ...taken, plan: { hosts: [hostPlan('web-1', removal)] } };
    expect(takenBackFindings(hostPlan('web-1', removal), [removed])).toHaveLength(1);
  });

  it('is quiet of what it asks for itself, of other effects and of other servers', () => {
    expect(messages(hostPlan('web-1', aStep))).toEqual([]);
    expect(messages(hostPlan('web-1', { ...drift, params: { ...drift.params, mode: '0600' } }))).toEqual([]);
    expect(messages(hostPlan('web-2', drift))).toEqual([]);
  });
});
