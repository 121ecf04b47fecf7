import { type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError, type FactQuery } from './fact.ts';

/** Home folders of people (user id 1000 to 59999), as /etc/passwd has them. */
export interface HomesQuery extends FactQuery {
  readonly fact: 'homes';
  readonly key: 'all';
}

export interface HomesState {
  readonly homes: readonly { readonly path: string /** Octal. */; readonly mode: string }[];
}

/** Only folders of the account itself: several may share one, such as /srv. */
const READ: Sh = {
  kind: 'sh',
  text: `while IFS=: read -r n _ u _ _ h _; do
  case $u in '' | *[!0-9]*) continue ;; esac
  if [ "$u" -ge 1000 ] && [ "$u" -lt 60000 ] && [ -d "$h" ] && [ ! -L "$h" ] && [ "$h" != / ]; then set -- "$@" "$h"; fi
done < /etc/passwd
[ $# -eq 0 ] || stat -c '%u %U %a %n' -- "$@" | sort -u | while read -r u n m h; do [ "$u" -lt 1000 ] || echo "home $m $h"; done`,
};

export const homesFact: Fact<HomesQuery, HomesState> = {
  fact: 'homes',
  read: (queries): Sh => ({
    kind: 'sh',
    text: queries
      .map(
        (q) =>
          sh`echo ${`= ${encodeKey(q.key)}`}; (set --; ${READ}
) 2>/dev/null`.text,
      )
      .join('\n'),
  }),
  parse: (output) => ({ homes: output.map(parseHome) }),
};

function parseHome(line: string) {
  const [, mode, path] = /^home ([0-7]{1,5}) (\/.*)$/.exec(line) ?? [];
  if (mode === undefined || path === undefined)
    throw new FactError('the host answered a home folder that is not understood');
  return { path, mode };
}
