import { existsSync, readFileSync } from 'node:fs';

/** An input that once did harm. Its bytes are those of the parts, one after the other. */
export interface FuzzCase {
  /** What it did. */
  readonly name: string;
  readonly parts: readonly FuzzPart[];
}

type FuzzPart = string | { readonly base64: string } | { readonly repeat: string; readonly times: number };

/** Cases of a target, kept in `cases/TARGET.json`. */
export function casesOf(target: string): readonly FuzzCase[] {
  const file = new URL(`./cases/${target}.json`, import.meta.url);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

export function inputOfCase({ parts }: FuzzCase): Buffer {
  return Buffer.concat(parts.map(bytesOf));
}

function bytesOf(part: FuzzPart): Buffer {
  if (typeof part === 'string') return Buffer.from(part);
  if ('base64' in part) return Buffer.from(part.base64, 'base64');
  const text = Buffer.from(part.repeat);
  return Buffer.alloc(text.length * part.times, text);
}
