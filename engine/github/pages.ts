import { GitHubError } from './errors.ts';
import { PAGE_SIZE, PAGES_MAX, WHOLE_PAGES_MAX } from './limits.ts';

/** `cut`: there may be more than the bound of pages lets be read. */
export interface List<T> {
  readonly items: readonly T[];
  readonly cut: boolean;
}

/** Reads a list page by page until `enough`, its end, or the bound of pages. */
export async function readList<T>(
  page: (number: number) => Promise<readonly T[]>,
  enough: (items: readonly T[]) => boolean = () => false,
): Promise<List<T>> {
  const all: T[] = [];
  for (let number = 1; number <= PAGES_MAX; number++) {
    const items = await page(number);
    all.push(...items);
    if (items.length < PAGE_SIZE || enough(items)) return { items: all, cut: false };
  }
  return { items: all, cut: true };
}

/** The same, where what is beyond the bound does not matter. */
export async function readPages<T>(...how: Parameters<typeof readList<T>>): Promise<readonly T[]> {
  return (await readList(...how)).items;
}

/** Reads a list to its end, for whoever takes what is not in it for gone. Throws `GitHubError` where it has none within the bound. */
export async function readWhole<T>(page: (number: number) => Promise<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let number = 1; number <= WHOLE_PAGES_MAX; number++) {
    const items = await page(number);
    all.push(...items);
    if (items.length < PAGE_SIZE) return all;
  }
  throw new GitHubError(
    'github-refused',
    `GitHub's list has no end within ${WHOLE_PAGES_MAX * PAGE_SIZE} entries, so nothing is concluded from it.`,
  );
}

/**
 * The parameter of the next page's address in a `Link` header: `<https://...?after=CURSOR>; rel="next"`; undefined at the list's
 * end. https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api#using-link-headers
 */
export function nextIn(link: string | undefined, parameter: 'after' | 'cursor'): string | undefined {
  const url = /<([^<>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
  return url === undefined ? undefined : (new URL(url).searchParams.get(parameter) ?? undefined);
}
