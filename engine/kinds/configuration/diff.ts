import { createTwoFilesPatch } from 'diff';

/** Diffs longer than this are cut; the plan says how to see the file. Characters. */
const DIFF_CHARACTERS_MAX = 60_000;

export interface TextDiff {
  readonly text: string;
  readonly added: number;
  readonly removed: number;
}

/** Unified diff with three lines of context; `before` empty for a file that is not there. */
export function unifiedDiff(path: string, before: string, after: string): TextDiff {
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, { context: 3 });
  // Two lines of `Index:` and `===` come first; then the `---` and `+++` lines, which are no changes.
  const body = patch.split('\n').slice(2);
  return {
    text: cut(body.join('\n').trimEnd()),
    added: body.slice(2).filter((line) => line.startsWith('+')).length,
    removed: body.slice(2).filter((line) => line.startsWith('-')).length,
  };
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
