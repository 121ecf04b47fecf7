import { expect, test } from 'vitest';
import { latestByReviewer } from './reviews.ts';

const review = (id: number, login: string, userId: number | undefined, state = 'APPROVED') => ({
  id,
  user: { login, type: 'User', ...(userId === undefined ? {} : { id: userId }) },
  state,
  commit_id: 'head',
  submitted_at: `2026-01-01T00:00:0${id}Z`,
});
const told = (...reviews: Parameters<typeof latestByReviewer>[0]) =>
  latestByReviewer(reviews).map(({ reviewer, reviewerId, state }) => [reviewer, reviewerId, state]);

test('an account that was renamed between two reviews is one person, by its later name', () => {
  expect(told(review(1, 'rita', 7), review(2, 'rita-now', 7, 'CHANGES_REQUESTED'))).toEqual([
    ['rita-now', 7, 'changes-requested'],
  ]);
});

test('whoever takes a given-up name is another person', () => {
  expect(told(review(1, 'rita', 7, 'CHANGES_REQUESTED'), review(2, 'rita', 9))).toEqual([
    ['rita', 7, 'changes-requested'],
    ['rita', 9, 'approved'],
  ]);
});

test('reviews of accounts that are gone do not count', () => {
  expect(told({ ...review(1, '', 7), user: null })).toEqual([]);
});
