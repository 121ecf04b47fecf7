import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * They take half a minute to four minutes each; begun late, the last of them would run alone. Those that mostly wait (policy,
 * engine, held, budget, cuts) are not begun together: the processors would idle.
 */
const LONGEST = [
  'lab/demo/demo',
  'test/e2e/kill',
  'test/e2e/policy',
  'test/e2e/rollout',
  'test/bad/life',
  'test/bad/engine',
  'test/e2e/locks',
  'test/e2e/held',
  'test/bad/github',
  'test/e2e/budget',
  'engine/operations/packages',
  'engine/operations/hardening',
  'engine/operations/patches',
  'test/bad/cuts',
  'test/e2e/drift',
  'test/e2e/firewall',
  'test/e2e/readyPolicies',
  'test/e2e/patches',
  'test/e2e/many',
  'test/secrets/masks',
  'test/e2e/lifetimes',
  'test/bad/steps',
  'test/bad/login',
  'test/secrets/secrets',
  'test/e2e/cluster',
  'engine/activities/manyHosts',
  'test/e2e/gate',
  'lab/compare',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.e2e.test.ts`));
  return place === -1 ? LONGEST.length : place;
}
