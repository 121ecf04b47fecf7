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
  try {
    return buildDocuments(parseEvents(text, { maxDepth: MAX_YAML_DEPTH }), text, lines);
  } catch (error) {
    return { documents: [], errors: [syntaxError(error, lines)] };
  }
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

/** The parser's reasons that users meet most often, in words that say what to do. */
function sentence(reason: string): string {
  if (reason.startsWith('tab characters')) return 'YAML does not allow tabs for indentation; use spaces.';
  if (reason.startsWith('nesting exceeded')) {
    return `This is nested more than ${MAX_YAML_DEPTH} levels deep, which no document needs; flatten it.`;
  }
  if (reason.startsWith('the stream contains non-printable')) {
    return 'There is a control character here; remove it, or write it as an escape such as "\\u0007" in double quotes.';
  }
  if (/^(deficient indentation|unexpected end of the stream within)/.test(reason)) {
    return 'Something above ends too early: a quote or bracket is not closed, or this line is not indented far enough.';
  }
  return `This is not valid YAML: ${reason}.`;
}
