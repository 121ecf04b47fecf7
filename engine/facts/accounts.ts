import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey } from './fact.ts';

/** What shadow(5) tools accept as a name; another key is simply not there. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\$?$/;

/** One call for all queries: `COMMAND NAME:KEY:ID ...`; names that no account can have are answered here. */
export function accountQueries<Query extends { readonly key: string }>(
  command: Sh,
  queries: readonly Query[],
  id: (query: Query) => number | undefined,
): Sh {
  const words = queries
    .filter((query) => NAME.test(query.key))
    .map((query) => `${query.key}:${encodeKey(query.key)}:${id(query) ?? ''}`);
  const impossible = queries.filter((query) => !NAME.test(query.key));
  return lines(
    ...impossible.map((query) => sh`echo ${`= ${encodeKey(query.key)}`}; echo absent`),
    ...(words.length === 0 ? [] : [sh`${command} ${words}`]),
  );
}

/** The rest of the line `~ NAME ...`. */
export function informational(output: readonly string[], name: string): string | undefined {
  const prefix = `~ ${name} `;
  return output.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}
