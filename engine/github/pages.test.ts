import { expect, test } from 'vitest';
import { nextIn } from './pages.ts';

test('the cursor of the next page, which GitHub gives in the Link header only', () => {
  const page = (cursor: string, rel: string) =>
    `<https://api.github.com/repositories/1/activity?ref=refs%2Fheads%2Fa&per_page=100&${cursor}>; rel="${rel}"`;
  expect(nextIn(`${page('before=b', 'prev')}, ${page('after=Y3Vyc29yOjE%3D', 'next')}`, 'after')).toBe(
    'Y3Vyc29yOjE=',
  );
  expect(nextIn(page('before=b', 'prev'), 'after')).toBeUndefined();
  expect(nextIn(undefined, 'after')).toBeUndefined();
});
