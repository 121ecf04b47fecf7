import { describe, expect, it } from 'vitest';
import { hostPlan, plan, step } from '../github/render/testing.ts';
import type { Probe } from '../kinds/kind.ts';
import { guardedRemark, netFor } from './guarded.ts';

const probe = (withinSeconds: number): Probe => ({
  kind: 'tcp',
  address: 'localhost',
  port: 80,
  withinSeconds,
  everySeconds: 1,
});

describe('guarded runs', () => {
  it('have a minute, and as long as the slowest probe may take', () => {
    expect(netFor([], 60).confirmWithinSeconds).toBe(60);
    expect(netFor([probe(30), probe(90.5)], 60).confirmWithinSeconds).toBe(151);
    expect(netFor([probe(3600)], 60).confirmWithinSeconds).toBe(660);
  });

  it('are named to reviewers', () => {
    const ssh = step({ operation: 'item.release', params: { item: 'path:/etc/ssh/sshd_config' } });
    const motd = step({ operation: 'item.release', params: { item: 'path:/etc/motd' } });
    expect(guardedRemark(plan(hostPlan('web-1', [motd])), 60)).toEqual([]);
    expect(guardedRemark(plan(hostPlan('web-1', [motd, ssh]), hostPlan('web-2', [motd])), 60)).toEqual([
      'Guarded on web-1: what is applied is taken back by the server itself unless a fresh login works within 60 s after it, and the probes pass.',
    ]);
  });
});
