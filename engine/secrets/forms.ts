import { createHash } from 'node:crypto';

/** How a text has to be read so that a form can be found in it; see `viewOf`. */
export type Reading = 'plain' | 'base64' | 'hex' | 'dump';

/** A text that gives a secret away. At least `FORM_MIN` and at most `FORM_MAX` characters. */
export interface Form {
  readonly reading: Reading;
  readonly text: string;
  /** Characters around it that hold some bits of the secret and some of what stands beside it. */
  readonly before: 0 | 1;
  readonly after: 0 | 1;
}

/** Shorter values would be found in any text. Characters. */
export const FORM_MIN = 4;
/** The same for one line of a longer value. */
const LINE_MIN = 8;
/** Longer texts are looked for in pieces, so that they are also found where they were cut. Characters. */
export const FORM_MAX = 64;

/** A value, its lines, their usual encodings, and what its hash is. */
export function formsOf(value: string): readonly Form[] {
  const whole = value.length >= FORM_MIN ? [value] : [];
  const lines = value.includes('\n') ? value.split('\n').filter((line) => line.length >= LINE_MIN) : [];
  const hashes = [value, `${value}\n`].map((text) => createHash('sha256').update(text).digest('hex'));
  return [...[...whole, ...lines].flatMap(encodingsOf), ...hashes.flatMap(hashForms)];
}

/** `sha256`: 64 lower-case hex digits. */
export function hashForms(sha256: string): readonly Form[] {
  return [...pieces('hex', sha256), ...base64At(Buffer.from(sha256, 'hex'), 0)];
}

/** A host's journal is one line an event, so there a value's own line ends and tabs are blanks. */
function encodingsOf(text: string): readonly Form[] {
  const plain = [
    text,
    JSON.stringify(text).slice(1, -1),
    text.replace(/[\n\t]/g, ' '),
    encodeURIComponent(text),
  ];
  const bytes = Buffer.from(text);
  const hex = bytes.toString('hex');
  return [
    ...[...new Set(plain)].flatMap((each) => pieces('plain', each)),
    ...pieces('hex', hex),
    ...pieces('dump', hex),
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
  ];
}

/** The characters that depend on the bytes alone where these begin `offset` bytes after a multiple of three (RFC 4648). */
function base64At(bytes: Buffer, offset: number): readonly Form[] {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const from = Math.ceil((offset * 8) / 6);
  const to = Math.floor((padded.length * 8) / 6);
  const text = padded.toString('base64').slice(from, to);
  return pieces('base64', text, offset === 0 ? 0 : 1, padded.length % 3 === 0 ? 0 : 1);
}

/** Each begins before the one in front of it ends, so that a cut leaves no rest that is too short to tell. */
function pieces(reading: Reading, text: string, before: 0 | 1 = 0, after: 0 | 1 = 0): readonly Form[] {
  const step = FORM_MAX - FORM_MIN;
  const count = Math.max(1, Math.ceil((text.length - FORM_MIN) / step));
  return Array.from({ length: count }, (_, n) => ({
    reading,
    text: text.slice(n * step, n * step + FORM_MAX),
    before: n === 0 ? before : 0,
    after: n === count - 1 ? after : 0,
  }));
}
