import { expect, it } from 'vitest';
import { laneOf } from './lane.ts';

const origin = { repo: { owner: 'Acme', name: 'Infra' }, installationId: 1 };
const push = {
  ...origin,
  kind: 'branch-pushed',
  defaultBranch: 'main',
  sha: 's',
  before: 'b',
} as const;

it('keeps the order of a pull request and of a branch, whose name has a case', () => {
  const closed = {
    ...origin,
    kind: 'pull-request-closed',
    number: 7,
    merged: true,
    mergeSha: 's',
    headSha: 'h',
    baseRef: 'main',
    sender: 'a',
  } as const;
  const rerun = { ...origin, kind: 'check-rerequested', name: undefined, headSha: 'h', sender: 'a' } as const;
  expect(laneOf(closed)).toBe('acme/infra#7');
  expect(laneOf({ ...rerun, numbers: [7, 8] })).toBe('acme/infra#7');
  expect(laneOf({ ...rerun, numbers: [] })).toBe('acme/infra#');
  expect(laneOf({ ...push, branch: 'Main' })).toBe('acme/infra:Main');
});
