import { expect, test } from 'vitest';
import { QUEUES } from '../../workflows/activities.ts';
import { HOSTS_QUEUE, READING_QUEUE } from './queues.ts';

test('workers serve the queues that workflows ask', () => {
  expect(QUEUES).toEqual({ reading: READING_QUEUE, onHosts: HOSTS_QUEUE });
});
