import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError, type FactQuery } from './fact.ts';

/** Home folders of people (user id 1000 to 59999), as /etc/passwd has them. */
export interface HomesQuery extends FactQuery {
  readonly fact: 'homes';
  readonly key: 'all';
}

export interface HomesState {
  readonly homes: readonly { readonly path: string /** Octal. */; readonly mode: string }[];
}

/** Only below folders of root: in another the home could be replaced by a link in the moment in which it is changed. */
export const HOMES_FUNCTIONS: Sh = {
  kind: 'sh',
  text: `is_home() { [ -d "$1" ] && [ ! -L "$1" ] && [ "$1" != / ] && [ -O "\${1%/*}/" ]; } # PATH`,
};

/** Folders of root or of the system, such as /srv, are left out. */
const READ: Sh = {
  kind: 'sh',
  text: `while IFS=: read -r n _ u _ _ h _; do
  case $u in '' | *[!0-9]*) continue ;; esac
  if [ "$u" -ge 1000 ] && [ "$u" -lt 60000 ] && is_home "$h"; then set -- "$@" "$h"; fi
done < /etc/passwd
[ $# -eq 0 ] || stat -c '%u %U %a %n' -- "$@" | sort -u | while read -r u n m h; do [ "$u" -lt 1000 ] || echo "home $m $h"; done`,
};

export const homesFact: Fact<HomesQuery, HomesState> = {
  fact: 'homes',
  read: (queries) =>
    lines(
      HOMES_FUNCTIONS,
      ...queries.map(
        (q) => sh`echo ${`= ${encodeKey(q.key)}`}; (set --; ${READ}
) 2>/dev/null`,
      ),
    ),
  parse: (output) => ({ homes: output.map(parseHome) }),
};

function parseHome(line: string) {
  const [, mode, path] = /^home ([0-7]{1,5}) (\/.*)$/.exec(line) ?? [];
  if (mode === undefined || path === undefined)
    throw new FactError('the host answered a home folder that is not understood');
  return { path, mode };
}
