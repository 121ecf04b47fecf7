import { describe, expect, it } from 'vitest';
import { updatesFact } from '../../facts/updates.ts';
import type { UpgradePatches } from '../../operations/patches.ts';
import { patchPolicySpec } from './testing/spec.ts';
import { upgradeStep } from './upgrade.ts';

const { updates: rules } = patchPolicySpec({});

describe('the step of updates', () => {
  it('repeats no more of an archive for each of them than people read', { timeout: 2_000 }, () => {
    const archive = `~ archive 1\thttp://a.example.org/${'x'.repeat(30_000)}\tmain\to=A,l=A`;
    const lines = ['apt', archive];
    for (let n = 0; n < 1_500; n++)
      lines.push(
        `~ update p${n}\t1\t2\t2\tp${n}\t1\tselected\tarchive`,
        `~ change p${n}\t1\t2`,
        `~ version p${n}\t2`,
        `~ of p${n}\t2\t1`,
      );
    const state = updatesFact.parse(lines, { fact: 'updates', key: 'all', updates: 'all' });
    const [{ diff, params } = { diff: '', params: {} }] = upgradeStep(state, rules);
    expect(diff.length).toBeLessThan(1_000_000);
    const { packages } = params as UpgradePatches;
    expect(Math.max(...packages.map(({ origin }) => origin.length))).toBe(305);
  });
});
