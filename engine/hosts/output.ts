import { StringDecoder } from 'node:string_decoder';

/** Default bound of stdout and of stderr, each. */
export const OUTPUT_MAX_BYTES = 1024 * 1024;
/** A longer line given to `onLine` is cut. */
export const LINE_MAX_CHARS = 16 * 1024;

export interface CappedOutput {
  readonly push: (chunk: Buffer) => void;
  readonly text: () => string;
  readonly truncated: () => boolean;
}

/** Keeps the first `max` bytes and drops the rest, so a flood costs no memory. */
export function cappedOutput(max: number): CappedOutput {
  const chunks: Buffer[] = [];
  let kept = 0;
  let truncated = false;
  const push = (chunk: Buffer) => {
    const room = max - kept;
    if (chunk.length > room) truncated = true;
    if (room <= 0) return;
    const part = chunk.subarray(0, room);
    chunks.push(part);
    kept += part.length;
  };
  return { push, text: () => Buffer.concat(chunks).toString('utf8'), truncated: () => truncated };
}

export interface LineSplitter {
  readonly push: (chunk: Buffer) => void;
  /** Gives out a last line that has no newline. */
  readonly end: () => void;
}

export function lineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let held = '';
  const feed = (text: string) => {
    const parts = text.split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      onLine((held + part).slice(0, LINE_MAX_CHARS));
      held = '';
    }
    held = (held + last).slice(0, LINE_MAX_CHARS);
  };
  const end = () => {
    feed(decoder.end());
    if (held !== '') onLine(held);
    held = '';
  };
  return { push: (chunk) => feed(decoder.write(chunk)), end };
}
