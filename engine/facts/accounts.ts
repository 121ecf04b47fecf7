import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey } from './fact.ts';

/**
 * `doaas_list DATABASE NAME ...` gives all entries in doaas_entries: what the host lists, then those of the names that
 * it does not list but knows, such as from a directory. One process where the first has all.
 */
export const LIST: Sh = {
  kind: 'sh',
  text: `doaas_lf='
'
doaas_list() {
  doaas_entries=$(getent "$1" 2>/dev/null || :); doaas_base=$1; shift
  for doaas_q in "$@"; do
    case "$doaas_lf$doaas_entries" in *"$doaas_lf\${doaas_q%%:*}:"*) ;; *) set -- "$@" "\${doaas_q%%:*}" ;; esac
    shift
  done
  [ "$#" -eq 0 ] || doaas_entries=$doaas_entries$doaas_lf$(getent "$doaas_base" "$@" 2>/dev/null || :)
}`,
};

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
