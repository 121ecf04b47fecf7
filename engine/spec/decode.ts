import { MAX_SPEC_FILE_BYTES } from './limits.ts';
import { fileStart } from './lines.ts';
import type { Position, SpecError } from './manifest.ts';

export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly error: SpecError };

const LINE_FEED = 0x0a;
const TOO_LARGE = `This file has more than the ${MAX_SPEC_FILE_BYTES / 1024} KiB that a YAML file may have; split it.`;

/** The text of a YAML file without its byte order mark; an error where it is too large, not UTF-8 or binary. */
export function decodeSpecFile(file: string, bytes: Uint8Array): Decoded {
  if (bytes.length > MAX_SPEC_FILE_BYTES) {
    return { kind: 'error', error: fileTooLarge(file) };
  }
  if (isUtf16(bytes)) {
    return failed('not-utf8', 'This file is UTF-16; save it as UTF-8.', fileStart(file));
  }
  const nul = bytes.indexOf(0);
  if (nul !== -1) {
    return failed(
      'nul-byte',
      'This file contains a NUL byte; YAML is text, so remove it.',
      place(file, bytes, nul),
    );
  }
  const text = decodeUtf8(bytes);
  return text === undefined
    ? failed('not-utf8', 'This file is not UTF-8 from here on; save it as UTF-8.', firstBadPlace(file, bytes))
    : { kind: 'text', text };
}

export function fileTooLarge(file: string): SpecError {
  const position = fileStart(file);
  return { kind: 'spec-error', code: 'file-too-large', message: TOO_LARGE, position, pointer: '' };
}

export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function failed(code: string, message: string, position: Position): Decoded {
  return { kind: 'error', error: { kind: 'spec-error', code, message, position, pointer: '' } };
}

function isUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** No byte of a multi-byte UTF-8 character equals LF, so lines can be judged one by one. */
function firstBadPlace(file: string, bytes: Uint8Array): Position {
  let start = 0;
  while (start < bytes.length) {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const end = lineFeed === -1 ? bytes.length : lineFeed;
    const line = bytes.subarray(start, end);
    if (decodeUtf8(line) === undefined) return place(file, bytes, start + validPrefix(line));
    start = end + 1;
  }
  return fileStart(file);
}

function validPrefix(line: Uint8Array): number {
  let low = 0;
  let high = line.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (validStart(line.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Valid so far: a character that is cut at the end may still become valid. */
function validStart(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function place(file: string, bytes: Uint8Array, offset: number): Position {
  const before = bytes.subarray(0, offset);
  const line = before.reduce((count, byte) => (byte === LINE_FEED ? count + 1 : count), 1);
  const lineStart = before.lastIndexOf(LINE_FEED) + 1;
  const column = new TextDecoder().decode(before.subarray(lineStart)).length + 1;
  return { file, line, column, endLine: line, endColumn: column + 1 };
}
