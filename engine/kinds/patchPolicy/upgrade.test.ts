import { describe, expect, it } from 'vitest';
import { soon } from '../../../test/cpuMs.ts';
import { updatesFact } from '../../facts/updates.ts';
import type { UpgradePatches } from '../../operations/patches.ts';
import { patchFindings } from './findings.ts';
import { patchPolicySpec } from './testing/spec.ts';
import { upgradeStep } from './upgrade.ts';

const { updates: rules } = patchPolicySpec({});

describe('the step of updates', () => {
  it(
    'repeats no more of an archive for each of them than people read',
    soon(() => {
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
    }),
  );

  const names = Array.from({ length: 20_000 }, (_, n) => `p${n}`);
  const lines = names.map((name) => `~ update ${name}\t1\t2\t2\t${name}\t1\texcluded\tgone`);
  const changes = names.slice(-2_000).map((name) => `~ change ${name}\t1\t2`);
  const query = { fact: 'updates', key: 'all', updates: 'all' } as const;
  const many = updatesFact.parse(['apt', ...lines, ...changes], query);

  it(
    'is soon made where much is outstanding',
    soon(() => {
      const [step] = upgradeStep(many, rules);
      expect(step?.summary).toMatch(/^2000 updates: p18000 1 -> 2, /);
      expect(step?.diff).toMatch(/\n~ no way back for p18000 1, .* and 1988 more: no archive/);
    }),
  );

  it(
    'so is what is said beside it',
    soon(() => {
      const pinned = names.slice(0, 1_500).map((name) => ({ name, by: 'Configuration/web' }));
      const holds = names.slice(1_000, 3_000);
      const findings = patchFindings(many, patchPolicySpec({ updates: { pinned }, holds }));
      const said = findings.map(({ message }) => message);
      expect(said.filter((one) => one.includes('its version is that of Configuration/web'))).toHaveLength(
        1_500,
      );
      expect(said.find((one) => one.includes('excluded'))).toMatch(/: p3000 1 -> 2, .* and 16988 more$/);
    }),
  );
});
