import { expect, test } from 'vitest';
import { PAGE_SIZE, PAGES_MAX } from './limits.ts';
import { nextIn, readList, readWhole } from './pages.ts';

const whole = Array.from({ length: PAGE_SIZE }, (_, i) => i);

test.each([
  ['that ends within the bound', PAGES_MAX, false],
  ['that is read to the bound and full there', PAGES_MAX + 1, true],
])('a list %s says whether it was cut', async (_, last, cut) => {
  const asked: number[] = [];
  const read = await readList(async (page) => {
    asked.push(page);
    return page === last ? [1] : whole;
  });
  expect(read.cut).toBe(cut);
  expect(asked).toHaveLength(PAGES_MAX);
});

test('the cursor of the next page, which GitHub gives in the Link header only', () => {
  const page = (cursor: string, rel: string) =>
    `<https://api.github.com/repositories/1/activity?ref=refs%2Fheads%2Fa&per_page=100&${cursor}>; rel="${rel}"`;
  expect(nextIn(`${page('before=b', 'prev')}, ${page('after=Y3Vyc29yOjE%3D', 'next')}`, 'after')).toBe(
    'Y3Vyc29yOjE=',
  );
  expect(nextIn(page('before=b', 'prev'), 'after')).toBeUndefined();
  expect(nextIn(undefined, 'after')).toBeUndefined();
});

test('a list that must be whole is read beyond the pages that are read of others; one without an end is not believed', async () => {
  const size = 2_150;
  const read = await readWhole(async (page) =>
    Array.from({ length: Math.min(100, size - (page - 1) * 100) }, (_, i) => (page - 1) * 100 + i),
  );
  expect(read).toHaveLength(size);
  expect(new Set(read).size).toBe(size);
  const endless = readWhole(async () => Array.from({ length: 100 }, () => 1));
  await expect(endless).rejects.toMatchObject({
    type: 'github-refused',
    message: expect.stringContaining('no end within 100000 entries'),
  });
});
