import { expect, test } from 'vitest';
import { limitErrors } from './limits.ts';

const COMMENTS = '/repos/acme/infra/issues/1/comments';
const RUNS = '/repos/acme/infra/check-runs';

test.each([
  ['a comment of the greatest length', COMMENTS, { body: 'x'.repeat(65_536) }, 0],
  ['a comment one longer', COMMENTS, { body: 'x'.repeat(65_537) }, 1],
  ['a text of the greatest length', RUNS, { output: { text: 'x'.repeat(65_535) } }, 0],
  [
    'text and summary one longer',
    RUNS,
    { output: { text: 'x'.repeat(65_536), summary: 'x'.repeat(65_536) } },
    2,
  ],
  ['50 annotations', `${RUNS}/7`, { output: { annotations: Array(50).fill({}) } }, 0],
  ['51 annotations', `${RUNS}/7`, { output: { annotations: Array(51).fill({}) } }, 1],
  ['four buttons', RUNS, { actions: Array(4).fill({ identifier: 'a', label: 'A', description: '' }) }, 1],
  ['a label of 21 characters', RUNS, { actions: [{ label: 'x'.repeat(21) }] }, 1],
  ['a title of 257 characters', '/repos/acme/infra/pulls', { title: 'x'.repeat(257) }, 1],
  ['a long body elsewhere', '/repos/acme/infra/git/blobs', { body: 'x'.repeat(70_000) }, 0],
])('%s', (_, path, body, count) => {
  expect(limitErrors('POST', path, body)).toHaveLength(count);
});
