import { FactError } from './fact.ts';
import { notUnderstood } from './updatesChecks.ts';

/** Things of one sort that are read; a host that lies could tell more. */
const LINES_MAX = 20_000;

/** apt's own words are the longest, a dozen lines of them in base64. Characters. */
const LINE_MAX = 64_000;

/** Rest of each line `~ NAME ...`. */
export type Told = (name: string) => readonly string[];

export function collect(output: readonly string[]): Told {
  const byName = new Map<string, string[]>();
  for (const line of output) {
    const found = /^~ ([a-z-]+)(?: (.*))?$/.exec(line);
    if (found === null) continue;
    const [, name = '', rest = ''] = found;
    if (rest.length > LINE_MAX) throw notUnderstood(`${name} of ${rest.length} characters`);
    const all = byName.get(name) ?? [];
    if (all.length >= LINES_MAX)
      throw new FactError(`the host told more than ${LINES_MAX} things of one sort about its updates`);
    all.push(rest);
    byName.set(name, all);
  }
  return (name) => byName.get(name) ?? [];
}

/** Of one line; more of them mean nothing. */
const FIELDS_MAX = 8;

export function fieldsOf(line: string): readonly string[] {
  return line.split('\t', FIELDS_MAX);
}

/** Fields of each line. A host tells each of its things once: told again and again, all that is known of it would be worked through as often. */
export function fieldsOnce(told: Told, name: string): readonly (readonly string[])[] {
  const rows = told(name).map(fieldsOf);
  const seen = new Set<string>();
  for (const [key = ''] of rows) {
    if (seen.has(key)) throw notUnderstood(`${name} ${key} twice`);
    seen.add(key);
  }
  return rows;
}
