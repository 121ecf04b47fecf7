import { parseEvents, YAMLException } from 'js-yaml';
import { buildDocuments } from './build.ts';
import { MAX_YAML_DEPTH } from './limits.ts';
import { indexLines, type Lines } from './lines.ts';
import type { Position, SpecError } from './manifest.ts';

/** One YAML document as plain values, with the place of each of them. */
export interface ParsedDocument {
  readonly value: unknown;
  /** JSON pointer to the value; for a collection that has a key, to the key. */
  readonly positions: ReadonlyMap<string, Position>;
  /** JSON pointer to the key that names the value. */
  readonly keys: ReadonlyMap<string, Position>;
  /** JSON pointer to the text of an unquoted scalar that YAML does not read as text (`0644`, `yes` is text). */
  readonly plain: ReadonlyMap<string, string>;
}

export interface ParsedFile {
  readonly documents: readonly ParsedDocument[];
  /** Empty, or the first syntax error and the repeated keys before it. */
  readonly errors: readonly SpecError[];
}

/** Never throws, whatever the text. Documents are complete only where there is no error. */
export function parseYaml(file: string, text: string): ParsedFile {
  const lines = indexLines(file, text);
  const conflict = OURS_MARK.exec(text);
  if (conflict !== null && THEIRS_MARK.test(text))
    return { documents: [], errors: [unmerged(conflict, lines)] };
  try {
    return buildDocuments(parseEvents(text, { maxDepth: MAX_YAML_DEPTH }), text, lines);
  } catch (error) {
    return { documents: [], errors: [syntaxError(error, lines)] };
  }
}

/** Lines that git leaves where it could not merge; below a key every text is indented. */
const OURS_MARK = /^<{7} .*$/m;
const THEIRS_MARK = /^>{7} /m;

function unmerged(mark: RegExpExecArray, lines: Lines): SpecError {
  return {
    kind: 'spec-error',
    code: 'yaml-syntax',
    message:
      'Git left a merge conflict here; keep one of the two sides and remove the lines <<<<<<<, ======= and >>>>>>>.',
    position: lines.position(mark.index, mark.index + mark[0].length),
    pointer: '',
  };
}

function syntaxError(error: unknown, lines: Lines): SpecError {
  const offset = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
  const reason = error instanceof YAMLException ? error.reason : 'this text cannot be read';
  return {
    kind: 'spec-error',
    code: 'yaml-syntax',
    message: sentence(reason),
    position: lines.position(offset, offset + 1),
    pointer: '',
  };
}

/** What the parser's reasons mean most often, in words that say what to do. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^tab characters/, 'YAML does not allow tabs for indentation; use spaces.'],
  [
    /^nesting exceeded/,
    `This is nested more than ${MAX_YAML_DEPTH} levels deep, which no document needs; flatten it.`,
  ],
  [
    /^the stream contains non-printable/,
    'There is a control character here; remove it, or write it as an escape such as "\\u0007" in double quotes.',
  ],
  [
    /^(deficient indentation|unexpected end of the stream within)/,
    'Something above ends too early: a quote or bracket is not closed, or this line is not indented far enough.',
  ],
  [
    /^bad indentation/,
    'This does not fit what is above: indent the line as its neighbours are, or put a value that has ": " in it, or begins with a sign such as @, `, % or *, in quotes.',
  ],
  [
    /^(can not read a block mapping entry|expected ':' after a mapping key|implicit map keys)/,
    'A ":" with a space after it is missing near here, after a name; or a text of several lines is not indented below its name.',
  ],
  [
    /^missed comma between flow/,
    'A comma is missing here between entries in braces or brackets; a value that has ":" or "," in it must be in quotes.',
  ],
  [
    /^name of an? (alias|anchor) node/,
    'A value that begins with * or & must be in quotes, or YAML takes it for a reference.',
  ],
  [
    /^end of the stream or a document separator/,
    'A new document begins with a line "---"; write one before this.',
  ],
];

function sentence(reason: string): string {
  return ADVICE.find(([pattern]) => pattern.test(reason))?.[1] ?? `This is not valid YAML: ${reason}.`;
}
