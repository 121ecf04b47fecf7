/** GitHub's documented or measured bounds. What is longer is cut, and the whole stays in the store. */

/** Body of a comment ("Body is too long (maximum is 65536 characters)"). Bytes, to be safe for both counts. */
export const COMMENT_MAX_BYTES = 65_536;
/** `output.summary` and `output.text` of a check run. */
export const CHECK_TEXT_MAX_BYTES = 65_535;
export const CHECK_TITLE_MAX_CHARS = 255;
/** Annotations of one request. */
export const ANNOTATIONS_PER_REQUEST = 50;
/** Annotations that we send at all: more help nobody and take a request per 50. */
export const ANNOTATIONS_MAX = 300;
/** GitHub allows 64 KiB; a reader does not. */
export const ANNOTATION_MESSAGE_MAX_CHARS = 2000;
export const ACTIONS_MAX = 3;
export const ACTION_LABEL_MAX_CHARS = 20;
export const ACTION_DESCRIPTION_MAX_CHARS = 40;
export const ACTION_IDENTIFIER_MAX_CHARS = 20;

/** Items of one page, GitHub's most. */
export const PAGE_SIZE = 100;
/** Pages read of any list; 2,000 comments or reviews. */
export const PAGES_MAX = 20;
/**
 * Pages of a list that must be whole. An account owns at most 100,000 repositories ("Repository limits",
 * https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits).
 */
export const WHOLE_PAGES_MAX = 1_000;

/** The sentence under what was cut. `url`: a signed link to the whole plan. */
export function cutNote(digest: string | undefined, url?: string): string {
  if (digest === undefined) return 'cut here';
  const link = url === undefined ? '' : `[read it here](${url}), or `;
  return `cut; the whole: ${link}\`doaas plan show ${digest}\``;
}
