import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They take one to four minutes each; begun late, the last of them would run alone. Slowest first. */
const LONGEST = [
  'test/e2e/budget',
  'lab/demo/demo',
  'test/e2e/kill',
  'test/e2e/rollout',
  'test/e2e/held',
  'test/bad/engine',
  'test/e2e/policy',
  'test/bad/cuts',
  'engine/operations/packages',
  'test/bad/life',
  'test/bad/github',
  'test/e2e/correct',
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
