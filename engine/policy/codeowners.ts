import { matchesEscapedGlob } from './glob.ts';

/** One line of CODEOWNERS. */
interface OwnersLine {
  /** Patterns for matchesEscapedGlob, any of which is enough. */
  readonly patterns: readonly string[];
  readonly owners: readonly string[];
}

export type CodeOwners = readonly OwnersLine[];

/** Lines with a pattern, each of which is held against every changed path. GitHub's own bound is 3 MB. */
export const OWNERS_LINES_MAX = 5_000;

/** No path is longer (PATH_MAX of Linux). Characters. */
const PATTERN_MAX = 4_096;

/**
 * The lines of a CODEOWNERS file, by GitHub's rules (docs.github.com, "About code owners"): gitignore's patterns without
 * `!` and `[ ]`, with `\` before what is meant as it stands. A line that cannot be understood is left out, as GitHub does.
 * Undefined where there are too many: the last that matches holds, so what would be left out is what counts most.
 */
export function parseCodeowners(text: string): CodeOwners | undefined {
  const lines = text.split(/\r\n|\r|\n/).flatMap(readLine);
  return lines.length > OWNERS_LINES_MAX ? undefined : lines;
}

function readLine(line: string): readonly OwnersLine[] {
  const given = line.trimStart();
  const end = endOfPattern(given);
  if (end === 0 || end > given.length || end > PATTERN_MAX) return [];
  const pattern = given.slice(0, end);
  // GitHub has no escape for `#`, and wants one before brackets
  if (/^(?:!|\\?#)/.test(pattern) || /[[\]]/.test(pattern.replace(/\\./gsu, ''))) return [];
  const rest = given.slice(end).trim().split(/\s+/).filter(Boolean);
  const comment = rest.findIndex((word) => word.startsWith('#'));
  const owners = comment === -1 ? rest : rest.slice(0, comment);
  return [{ patterns: globsOf(withoutIdleEscapes(pattern)), owners }];
}

/** Where the first blank is that no `\` stands before; beyond the line where one stands at its end and escapes nothing. */
function endOfPattern(line: string): number {
  let at = 0;
  while (at < line.length && !/\s/.test(line.charAt(at))) at += line.charAt(at) === '\\' ? 2 : 1;
  return at;
}

/** Escapes stay where they change what is meant, so that slashes can be told by themselves. */
function withoutIdleEscapes(pattern: string): string {
  return pattern.replace(/\\(.)/gsu, (escaped, character: string) =>
    /[*?\\]/.test(character) ? escaped : character,
  );
}

/** The owners that the last matching line names; none where it names none. */
export function ownersOf(lines: CodeOwners, path: string): readonly string[] {
  const last = lines.findLast(({ patterns }) =>
    patterns.some((pattern) => matchesEscapedGlob(pattern, path)),
  );
  return last?.owners ?? [];
}

/** A pattern with a slash before its end counts from the root, another at any depth; what it names, it names with all below. */
function globsOf(pattern: string): readonly string[] {
  const bare = pattern.replace(/^\/+|\/+$/g, '');
  const anchored = pattern.replace(/\/+$/, '').includes('/');
  const from = anchored ? bare : `**/${bare}`;
  if (pattern.endsWith('/')) return [`${from}/**/*`];
  // `docs/*` means the files of that folder only
  if (anchored && bare.endsWith('/*')) return [from];
  return [from, `${from}/**/*`];
}
