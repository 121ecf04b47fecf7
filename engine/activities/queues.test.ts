import { msToNumber } from '@temporalio/common/lib/time.js';
import { expect, test } from 'vitest';
import { POLICIES, QUEUES } from '../../workflows/activities.ts';
import { SIGN_EVERY } from '../worker.ts';
import { HOSTS_QUEUE, READING_QUEUE } from './queues.ts';

test('workers serve the queues that workflows ask', () => {
  expect(QUEUES).toEqual({ reading: READING_QUEUE, onHosts: HOSTS_QUEUE });
});

test.each(Object.entries(POLICIES))(
  '%s: a sign of life may be lost twice before the worker is given up',
  (_, policy) => {
    expect(3 * msToNumber(SIGN_EVERY)).toBeLessThan(msToNumber(policy.heartbeatTimeout));
  },
);
