import { expect, test } from 'vitest';
import type { OpenRun } from '../store/runs.ts';
import { holdsNone, whoLooks } from './requests.ts';

test('a moved base is told to all but those whose run goes on or waits, for they look when it is over', () => {
  const run = (pullNumber: number, state: OpenRun['state'], repository = 'acme/infra') => ({
    id: `pr${pullNumber}-1`,
    repository,
    pullNumber,
    state,
  });
  const open = [run(1, 'queued'), run(2, 'running'), run(3, 'held'), run(4, 'running', 'acme/other')];
  expect(whoLooks([1, 2, 3, 4, 5], 'acme/infra', open)).toEqual([3, 4, 5]);
  expect(whoLooks([6], 'acme/infra', [run(6, 'needs-recovery')])).toEqual([6]);
});

test('to unlock what a dead run left is answered with what ends it', () => {
  const ended = { id: 'pr7-a', state: 'failed' } as const;
  expect(holdsNone([ended], 'pull request')).toBe('This pull request holds no hosts.');
  expect(holdsNone([ended, { id: 'pr7-b', state: 'needs-recovery' }], 'pull request')).toMatch(
    /^This pull request holds no hosts\. What its run `pr7-b` left .* `doaas unlock SERVER --force`\.$/,
  );
});
