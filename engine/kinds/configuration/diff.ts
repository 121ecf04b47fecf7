import { createTwoFilesPatch } from 'diff';

/** Diffs longer than this are cut; the plan says how to see the file. Characters. */
const DIFF_CHARACTERS_MAX = 60_000;

/**
 * Lines that differ, beyond which they are not compared one by one: the time for that grows with their square (Myers, "An O(ND)
 * Difference Algorithm", 1986), and both texts may be of somebody who wants it to.
 */
const EDITS_MAX = 1_000;

/** Lines of either text, beyond which they are not compared one by one either: each of the edits may look at all of them. */
const LINES_MAX = 20_000;

export interface TextDiff {
  readonly text: string;
  readonly added: number;
  readonly removed: number;
}

/** Unified diff with three lines of context; `before` empty for a file that is not there. */
export function unifiedDiff(path: string, before: string, after: string): TextDiff {
  if (isLong(before) || isLong(after)) return replacement(path, before, after);
  const options = { context: 3, maxEditLength: EDITS_MAX };
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, options);
  if (patch === undefined) return replacement(path, before, after);
  // Two lines of `Index:` and `===` come first; then the `---` and `+++` lines, which are no changes.
  const body = patch.split('\n').slice(2);
  return {
    text: cut(body.join('\n').trimEnd()),
    added: body.slice(2).filter((line) => line.startsWith('+')).length,
    removed: body.slice(2).filter((line) => line.startsWith('-')).length,
  };
}

function isLong(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
    if (++count > LINES_MAX) return true;
  return false;
}

/** All that lies between what both texts begin with and what both end with, as one block. */
function replacement(path: string, before: string, after: string): TextDiff {
  const [old, wanted] = [linesOf(before), linesOf(after)];
  const shorter = Math.min(old.length, wanted.length);
  let head = 0;
  while (head < shorter && old[head] === wanted[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === wanted.at(-1 - tail)) tail += 1;
  const removed = old.length - head - tail;
  const added = wanted.length - head - tail;
  const text = [
    `--- ${path}`,
    `+++ ${path}`,
    `@@ -${range(head, removed)} +${range(head, added)} @@`,
    ...shown(old, head, removed).map((line) => `-${line}`),
    ...shown(wanted, head, added).map((line) => `+${line}`),
  ];
  return { text: cut(text.join('\n').trimEnd()), added, removed };
}

/** Lines of a block; more than a diff has characters are cut in any case. */
function shown(lines: readonly string[], from: number, count: number): readonly string[] {
  return lines.slice(from, from + Math.min(count, DIFF_CHARACTERS_MAX));
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  if (last !== '') lines.push(`${last}\n\\ No newline at end of file`);
  return lines;
}

/** Where a block begins and how long it is; an empty one is said to be behind the line before it (POSIX, diff -u). */
function range(before: number, count: number): string {
  return `${count === 0 ? before : before + 1},${count}`;
}

/** `- mode 0600` / `+ mode 0644`, only for what differs. */
export function attributeDiff(
  before: Readonly<Record<string, string | undefined>>,
  after: Readonly<Record<string, string>>,
): string {
  return Object.entries(after)
    .filter(([name, value]) => before[name] !== value)
    .flatMap(([name, value]) => [
      ...(before[name] === undefined ? [] : [`- ${name} ${before[name]}`]),
      `+ ${name} ${value}`,
    ])
    .join('\n');
}

function cut(text: string): string {
  if (text.length <= DIFF_CHARACTERS_MAX) return text;
  return `${text.slice(0, DIFF_CHARACTERS_MAX)}\n... cut at ${DIFF_CHARACTERS_MAX} characters`;
}
