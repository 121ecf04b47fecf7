import { PAGE_SIZE, PAGES_MAX } from './limits.ts';

/** Reads a list page by page until `enough`, its end, or the bound of pages. */
export async function readPages<T>(
  page: (number: number) => Promise<readonly T[]>,
  enough: (items: readonly T[]) => boolean = () => false,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let number = 1; number <= PAGES_MAX; number++) {
    const items = await page(number);
    all.push(...items);
    if (items.length < PAGE_SIZE || enough(items)) break;
  }
  return all;
}
