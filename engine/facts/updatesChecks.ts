import { FactError } from './fact.ts';

/** What a host says becomes arguments, items and names of units: each throws FactError on anything else. */

/** Of what dpkg or apt say. Characters. */
const TEXT_MAX = 2_000;

/** Of what only people read, such as an archive's address; some of it stands in a plan once for each package. Characters. */
const WORDS_MAX = 300;

/** Debian Policy 5.6.1, with the architecture. It becomes an argument of apt, so nothing else may pass. */
export function packageName(name: string): string {
  if (isPackageName(name)) return name;
  throw notUnderstood(name);
}

export function isPackageName(word: string): boolean {
  return /^[a-z0-9][a-z0-9+.-]{0,127}(:[a-z0-9-]{1,32})?$/.test(word);
}

/** PATH_MAX of Linux. */
const PATH_MAX = 4_096;

/** It becomes an item of a step that puts it back. */
export function absolutePath(path: string): string {
  if (path.length < PATH_MAX && /^(\/[^/]+)+$/.test(path) && !/\/\.{1,2}(\/|$)/.test(path)) return path;
  throw notUnderstood(path);
}

/** systemd.unit(5). */
export function unitName(name: string): string {
  if (/^[A-Za-z0-9:_.\\@-]{1,255}$/.test(name)) return name;
  throw notUnderstood(name);
}

/** Debian Policy 5.6.12. */
export function version(text: string): string {
  if (/^[0-9A-Za-z][0-9A-Za-z.+:~-]{0,127}$/.test(text)) return text;
  throw notUnderstood(text);
}

export function number(digits: string): number {
  if (/^\d{1,15}$/.test(digits)) return Number(digits);
  throw notUnderstood(digits);
}

export function text(base64: string): string {
  // a character has at most four bytes, and three of them are four characters of base64
  const enough = base64.slice(0, 6 * TEXT_MAX);
  return Buffer.from(enough, 'base64').toString('utf8').trim().slice(0, TEXT_MAX);
}

export function words(told: string): string {
  return told.slice(0, WORDS_MAX);
}

export function notUnderstood(what: string): FactError {
  return new FactError(`the host answered about its updates what is not understood: ${what.slice(0, 80)}`);
}
