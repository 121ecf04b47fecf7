import { expect, test } from 'vitest';
import { askAgainAfter } from './lockRetry.ts';

/** docs/architecture.md says so under "Locks and recovery": a check is as old as the run's last question. */
test.each([
  ['one of the next three', 3, 1, 30],
  ['one whose place is shown', 10, 1, 60],
  ['one further back', 11, 1, 600],
  ['one of the next three that has asked for ten minutes', 1, 21, 300],
  ['one whose place is shown that has asked for twenty', 10, 21, 300],
  ['one further back, whenever', 11, 21, 600],
])('%s asks again in time', (_, position, asked, seconds) => {
  expect(askAgainAfter(position, asked)).toBe(seconds * 1000);
});
