import { describe, expect, test } from 'vitest';
import type { RolloutRef, RolloutStage, RunRef } from '../engine/activities/types.ts';
import { groupsOf, isUnproven, toProve } from './batches.ts';
import { endedBy, fail, leftOutOf, newFleet } from './fleet.ts';

const stage = (wave: number, hosts: readonly string[], canary = false): RolloutStage => {
  return { wave, hosts, canary, verify: true, pauseSeconds: 0 };
};
/** Two waves of `dependsOn` over four servers, each with its canary. */
const stages = [0, 1].flatMap((wave) => [
  stage(wave, ['web-1'], true),
  stage(wave, ['web-2', 'web-3']),
  stage(wave, ['web-4']),
]);
const [first, second, , firstOfNext, secondOfNext] = stages as [
  RolloutStage,
  RolloutStage,
  RolloutStage,
  RolloutStage,
  RolloutStage,
];
const rollout: RolloutRef = {
  stages,
  probes: 'done',
  failureBudget: 2,
  onExceeded: 'rollback',
  unreachable: 'skip',
};
const runWith = (given: Partial<RolloutRef> = {}): RunRef =>
  ({ plan: { hosts: [], waves: [0, 1], rollout: { ...rollout, ...given } } }) as unknown as RunRef;

describe('a skipped canary', () => {
  test('has one server of the next batch go first in its place, in each wave', () => {
    const fleet = newFleet();
    expect(groupsOf(runWith(), first, [], fleet)).toEqual([]);
    expect(groupsOf(runWith(), second, second.hosts, fleet)).toEqual([['web-2'], ['web-3']]);
    fleet.proven.add(0);
    expect(groupsOf(runWith(), second, second.hosts, fleet)).toEqual([['web-2', 'web-3']]);
    expect(groupsOf(runWith(), secondOfNext, second.hosts, fleet)).toEqual([['web-2'], ['web-3']]);
  });

  test('is replaced by nobody where no canary was asked for', () => {
    const run = runWith({ stages: stages.map((each) => ({ ...each, canary: false })) });
    expect(isUnproven(run, second, newFleet())).toBe(false);
    expect(groupsOf(run, second, second.hosts, newFleet())).toEqual([['web-2', 'web-3']]);
  });

  test('is left out in the end, like those that were away while planning', () => {
    const fleet = newFleet();
    fleet.skipped.push('web-1');
    const run = runWith();
    const planned = { ...run, plan: { ...run.plan, skipped: ['web-9'] } };
    expect(leftOutOf(fleet, planned).map(({ host }) => host)).toEqual(['web-9', 'web-1']);
  });
});

describe('waves, canaries and the budget', () => {
  test('a failure of one wave counts in the next', () => {
    const fleet = newFleet();
    for (const host of ['web-2', 'web-3']) fail(fleet, { host, reason: 'bad' });
    expect(endedBy(fleet, rollout, [])).toBeUndefined();
    fail(fleet, { host: 'web-4', reason: 'bad' });
    expect(endedBy(fleet, rollout, [])?.host).toBe('web-4');
  });

  test("the first server of a later wave stops the run within the budget, an earlier wave's proof notwithstanding", () => {
    const fleet = newFleet();
    fleet.proven.add(0);
    expect(isUnproven(runWith(), firstOfNext, fleet)).toBe(true);
    fail(fleet, { host: 'web-1', reason: 'bad' });
    expect(endedBy(fleet, rollout, firstOfNext.hosts)?.host).toBe('web-1');
  });
});

describe('the proof after a batch', () => {
  const fleet = newFleet();
  fleet.done.set('web-1', 0).set('web-2', 0).set('web-3', 0);

  test('looks at all that were done, so that it finds one that went bad later', () => {
    expect(toProve(runWith(), second, fleet).map(({ host }) => host)).toEqual(['web-1', 'web-2', 'web-3']);
  });

  test('looks at the batch only, where the rollout says so', () => {
    const hosts = toProve(runWith({ probes: 'batch' }), second, fleet).map(({ host }) => host);
    expect(hosts).toEqual(['web-2', 'web-3']);
  });

  test('looks at nobody who failed, and at each as far as it was changed', () => {
    const partly = newFleet();
    partly.done.set('web-1', 1).set('web-2', 0).set('web-3', 0);
    fail(partly, { host: 'web-3', reason: 'bad' });
    expect(toProve(runWith(), firstOfNext, partly)).toEqual([
      { host: 'web-1', wave: 1 },
      { host: 'web-2', wave: 0 },
    ]);
  });
});
