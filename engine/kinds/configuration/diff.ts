import { createTwoFilesPatch } from 'diff';

/** Diffs longer than this are cut; the plan says how to see the file. Characters. */
const DIFF_CHARACTERS_MAX = 60_000;

/**
 * Lines that differ, beyond which they are not compared one by one: the time for that grows with their square (Myers, "An O(ND)
 * Difference Algorithm", 1986), and both texts may be of somebody who wants it to.
 */
const EDITS_MAX = 1_000;

export interface TextDiff {
  readonly text: string;
  readonly added: number;
  readonly removed: number;
}

/** Unified diff with three lines of context; `before` empty for a file that is not there. */
export function unifiedDiff(path: string, before: string, after: string): TextDiff {
  const options = { context: 3, maxEditLength: EDITS_MAX };
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, options);
  // Two lines of `Index:` and `===` come first; then the `---` and `+++` lines, which are no changes.
  const body = patch === undefined ? replacement(path, before, after) : patch.split('\n').slice(2);
  return {
    text: cut(body.join('\n').trimEnd()),
    added: body.slice(2).filter((line) => line.startsWith('+')).length,
    removed: body.slice(2).filter((line) => line.startsWith('-')).length,
  };
}

/** All that lies between what both texts begin with and what both end with, as one block. */
function replacement(path: string, before: string, after: string): readonly string[] {
  const [old, wanted] = [linesOf(before), linesOf(after)];
  const head = common(old, wanted);
  const tail = common(old.slice(head).reverse(), wanted.slice(head).reverse());
  const removed = old.slice(head, old.length - tail);
  const added = wanted.slice(head, wanted.length - tail);
  return [
    `--- ${path}`,
    `+++ ${path}`,
    `@@ -${range(head, removed.length)} +${range(head, added.length)} @@`,
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
  ];
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** How many lines both begin with. */
function common(a: readonly string[], b: readonly string[]): number {
  const end = Math.min(a.length, b.length);
  let n = 0;
  while (n < end && a[n] === b[n]) n += 1;
  return n;
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
