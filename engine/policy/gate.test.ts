import { describe, expect, it } from 'vitest';
import type { Review } from '../github/reviews.ts';
import { type GateInput, gate } from './gate.ts';

const review: Review = {
  reviewId: 1,
  reviewer: 'rita',
  isBot: false,
  state: 'approved',
  commitId: 'head',
  submittedAt: '2026-01-01T00:00:10Z',
  permission: 'write',
};
const input: GateInput = {
  author: 'anna',
  headSha: 'head',
  draft: false,
  fork: false,
  open: true,
  shownAt: '2026-01-01T00:00:10.900Z',
  reviews: [review],
};
const who = 'one approving review by somebody with write access other than anna';

describe('gate', () => {
  it('is ready with an approval of the shown plan by somebody else', () => {
    expect(gate(input)).toEqual({ ready: true, missing: [], approvedBy: ['rita'] });
  });

  it.each([
    ['nobody', [], who],
    [
      'the author, in other letters',
      [{ ...review, reviewer: 'ANNA' }],
      `${who} (an author's own approval does not count)`,
    ],
    ['a reader', [{ ...review, permission: 'read' as const }], who],
    ['a bot', [{ ...review, isBot: true }], who],
    [
      'an older head',
      [{ ...review, commitId: 'old' }],
      `${who} (the one by rita does not count: it was for an older head)`,
    ],
    [
      'before the plan was shown',
      [{ ...review, submittedAt: '2026-01-01T00:00:09Z' }],
      `${who} (the one by rita does not count: the plan has changed since)`,
    ],
  ])('is not opened by %s', (_name, reviews, missing) => {
    expect(gate({ ...input, reviews })).toEqual({ ready: false, missing: [missing], approvedBy: [] });
  });

  it('is closed by an objection although another approved', () => {
    const objection: Review = { ...review, reviewer: 'otto', state: 'changes-requested' };
    expect(gate({ ...input, reviews: [review, objection] }).missing).toEqual([
      'otto requests changes; an approval by them or a dismissal settles it',
    ]);
  });

  it('is closed for drafts, forks and closed pull requests', () => {
    expect(gate({ ...input, draft: true, fork: true, open: false }).missing).toHaveLength(3);
  });
});
