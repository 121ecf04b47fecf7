import type { Position } from './manifest.ts';

/** Turns offsets (UTF-16 units from 0) of one file's text into positions. */
export interface Lines {
  readonly position: (start: number, end: number) => Position;
}

export function indexLines(file: string, text: string): Lines {
  const starts = lineStarts(text);
  return {
    position: (start, end) => {
      const from = clamp(start, text.length);
      const to = Math.max(from, clamp(end, text.length));
      const first = lineOf(starts, from);
      const last = lineOf(starts, to);
      return {
        file,
        line: first + 1,
        column: from - (starts[first] ?? 0) + 1,
        endLine: last + 1,
        endColumn: to - (starts[last] ?? 0) + 1,
      };
    },
  };
}

/** The beginning of a file, for errors about the file as a whole. */
export function fileStart(file: string): Position {
  return { file, line: 1, column: 1, endLine: 1, endColumn: 1 };
}

/** YAML ends a line at LF, CRLF or CR. */
function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

/** Index of the last line that starts at or before the offset. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function clamp(offset: number, length: number): number {
  return Math.min(Math.max(offset, 0), length);
}
