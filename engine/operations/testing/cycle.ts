import { afterAll, beforeAll, expect } from 'vitest';
import { compareTrees, describeDifferences, MAY_DIFFER, snapshotTree } from '../../../lab/compare.ts';
import { type Lab, type LabHost, openLab } from '../../../lab/hosts.ts';
import { type HostHarness, hostHarness, type Wanted } from '../../../test/hostHarness.ts';
import type { BatchResult } from '../../hosts/batchRun.ts';

/** One lab host for a test file, with what every operation must pass: apply, apply again, undo. */
export interface TestHost {
  readonly host: () => LabHost;
  readonly harness: () => HostHarness;
  /** Runs a script on the host from outside and gives its output. Throws when it fails. */
  readonly outside: (script: string) => Promise<string>;
  /**
   * Applies what is wanted, runs every effect a second time as after a cut, plans again (no steps), undoes: every path of the
   * host must be as before, seen from outside.
   * `during` looks at the applied state.
   */
  readonly cycle: (wanted: Wanted, during?: (result: BatchResult) => Promise<void>) => Promise<void>;
  /** Applies what is wanted, then nothing: what was created goes, what was found is as it was found. */
  readonly leaves: (wanted: Wanted) => Promise<void>;
  /** Applies and expects that it worked. */
  readonly applied: (wanted: Wanted) => Promise<BatchResult>;
  /** Undoes and expects that all of it worked. */
  readonly undone: (run: string) => Promise<BatchResult>;
  /** Runs the body and expects that every path of the host is as before. */
  readonly unchanged: (body: () => Promise<void>) => Promise<void>;
}

/** The tools' backups are restored too where nobody else changed anything. */
const ALLOWED = MAY_DIFFER.filter(({ pattern }) => !/^\/etc\/[a-z]+-$/.test(pattern));

export function useTestHost(): TestHost {
  let lab: Lab | undefined;
  let up: { readonly host: LabHost; readonly harness: HostHarness } | undefined;
  beforeAll(async () => {
    lab = await openLab();
    const [host] = await lab.up(1);
    if (host === undefined) throw new Error('the lab gave no host');
    up = { host, harness: hostHarness(host) };
  });
  afterAll(async () => {
    await up?.harness.close();
    await lab?.down();
  });
  const now = () => {
    if (up === undefined) throw new Error('the host is not up yet');
    return up;
  };
  return testHost(
    () => now().host,
    () => now().harness,
  );
}

function testHost(host: () => LabHost, harness: () => HostHarness): TestHost {
  const outside = async (script: string) => {
    const result = await host().exec(script);
    return result.stdout;
  };
  const applied = async (wanted: Wanted) => {
    const result = await harness().apply(wanted);
    expectApplied(result);
    return result;
  };
  const undone = async (run: string) => {
    const result = await harness().undo(run);
    expect(result.end, JSON.stringify(result.events, null, 1)).toBe('rolled-back');
    return result;
  };
  const unchanged = async (body: () => Promise<void>) => {
    const before = await snapshotTree(host());
    await body();
    const differences = await compareTrees(before, await snapshotTree(host()), ALLOWED);
    expect(describeDifferences(differences)).toBe('');
  };
  const cycle: TestHost['cycle'] = (wanted, during) =>
    unchanged(async () => {
      const plan = await harness().plan(wanted);
      const result = await harness().applyPlan(plan);
      expectApplied(result);
      await outside(applyAgain(result.run, plan.steps.length, harness().contentsOf(plan)));
      expect((await harness().plan(wanted)).steps, 'planned again').toEqual([]);
      await during?.(result);
      await undone(result.run);
    });
  const leaves: TestHost['leaves'] = (wanted) =>
    unchanged(async () => {
      await applied(wanted);
      await applied({});
      expect((await harness().plan({})).steps, 'planned again').toEqual([]);
    });
  return { host, harness, outside, cycle, leaves, applied, undone, unchanged };
}

function expectApplied(result: BatchResult): void {
  expect(result.end, `${result.output}\n${JSON.stringify(result.events, null, 1)}`).toBe('applied');
}

/** An effect that was cut just before its end is run again, with what was still there then: nothing may fail or change. */
function applyAgain(run: string, steps: number, contents: ReadonlyMap<string, Uint8Array>): string {
  const dir = `/var/lib/doaas/runs/${run}`;
  const files = [...contents].map(
    ([sha256, bytes]) =>
      `base64 -d > ${dir}/payloads/${sha256} <<'EOF'\n${Buffer.from(bytes).toString('base64')}\nEOF\n`,
  );
  return `set -eu; umask 077; mkdir ${dir}/payloads\n${files.join('')}for n in $(seq ${steps}); do STEP=${dir}/steps/$n sh ${dir}/batch.sh call apply_$n; done`;
}
