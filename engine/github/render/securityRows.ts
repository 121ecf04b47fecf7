import { count, minute } from './words.ts';

/** Rows of one table; more are counted. */
export const MAX_ROWS = 100;
/** Characters of a sentence of a host or a document. */
export const SENTENCE_MAX = 500;

/** `left`: how many there are beyond all of these. */
export function more(all: readonly unknown[], noun: string, left = 0): readonly string[] {
  const hidden = Math.max(0, all.length - MAX_ROWS) + left;
  return hidden === 0 ? [] : [`- *${count(hidden, `more ${noun}`)} not shown*`];
}

/** `as of 2026-11-26 12:03 UTC` */
export function asOf(iso: string): string {
  return `as of ${minute(Date.parse(iso))}`;
}
