import { lines, type Sh, sh } from '../shell/sh.ts';
import { base64Length } from './base64.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

/** `~/.ssh/authorized_keys` of one user. */
export interface AuthorizedKeysQuery {
  readonly fact: 'authorized-keys';
  /** Name of the user. */
  readonly key: string;
}

export type AuthorizedKeysState =
  | { readonly type: 'absent'; readonly present: false; readonly home: boolean; readonly user: boolean }
  | {
      readonly type: 'keys';
      readonly present: true;
      readonly mode: string;
      readonly directoryMode: string;
      readonly text: string;
    }
  /** A link, another owner, or too large: the engine leaves it alone. */
  | { readonly type: 'unsafe'; readonly present: true; readonly why: string };

/** A larger file is not taken for a list of keys. Bytes. */
export const KEYS_BYTES_MAX = 262_144;
const TOO_LARGE = `~/.ssh/authorized_keys is larger than ${KEYS_BYTES_MAX} bytes`;

/** Longest time that reading one user's home may take, seconds. */
const READ_SECONDS = 10;

/**
 * Runs a command with the rights of the user and nothing more, so that whatever a hostile user puts into the home
 * folder (links, pipes) reaches only what that user can reach anyway. Expects U, G (ids) and H (home).
 */
export const AS_USER: Sh = {
  kind: 'sh',
  text: `timeout -k 2 ${READ_SECONDS} setpriv --reuid "$U" --regid "$G" --clear-groups --no-new-privs sh -c`,
};

/** Sets U, G and H from a passwd(5) line in L. */
export const SPLIT_PASSWD: Sh = {
  kind: 'sh',
  text: `IFS=: read -r _ _ U G _ H _ <<EOF
$L
EOF`,
};

const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_keys() { # NAME
  case "$A" in *"
$1:"*) L="$1:\${A#*"
$1:"}"; L="\${L%%"
"*}" ;; *) echo absent; echo '~ user no'; return 0 ;; esac
  ${SPLIT_PASSWD.text}
  ${AS_USER.text} '
    cd -- "$1" 2>/dev/null || { echo absent; echo "~ home no"; exit 0; }
    if [ -L .ssh ]; then echo "unsafe ~/.ssh is a symbolic link"; exit 0; fi
    if [ ! -e .ssh ]; then echo absent; exit 0; fi
    f=.ssh/authorized_keys
    set -- "$2" $(stat -c "%u %a %s" .ssh $f 2>/dev/null)
    if [ ! -d .ssh ]; then echo "unsafe ~/.ssh is not a directory"
    elif [ "$2" != "$1" ]; then echo "unsafe ~/.ssh belongs to the uid $2"
    elif [ -L $f ]; then echo "unsafe ~/.ssh/authorized_keys is a symbolic link"
    elif [ ! -e $f ]; then echo "absent $3"
    elif [ ! -f $f ]; then echo "unsafe ~/.ssh/authorized_keys is not a regular file"
    elif [ "$5" != "$1" ]; then echo "unsafe ~/.ssh/authorized_keys belongs to the uid $5"
    elif [ "$7" -gt ${KEYS_BYTES_MAX} ]; then echo "unsafe ${TOO_LARGE}"
    else echo "keys $6 $3 $(head -c ${KEYS_BYTES_MAX} $f | base64 -w0)"
    fi' sh "$H" "$U" 2>/dev/null || echo "unsafe ~/.ssh cannot be read"
}`,
};

export const authorizedKeysFact: Fact<AuthorizedKeysQuery, AuthorizedKeysState> = {
  fact: 'authorized-keys',
  read: (queries) =>
    lines(
      FUNCTION,
      sh`A="
$(getent passwd ${queries.map((query) => query.key)} 2>/dev/null)"`,
      ...queries.map((query) => sh`echo ${`= ${encodeKey(query.key)}`}; doaas_keys ${query.key}`),
    ),
  parse: (output, query) => parseKeys(output, query),
};

function parseKeys(output: readonly string[], query: AuthorizedKeysQuery): AuthorizedKeysState {
  const [type = '', ...words] = (output[0] ?? '').split(' ');
  switch (type) {
    case 'absent':
      return {
        type,
        present: false,
        user: !output.includes('~ user no'),
        home: !output.includes('~ home no') && !output.includes('~ user no'),
      };
    case 'unsafe':
      return { type, present: true, why: words.join(' ') };
    case 'keys':
      if ((words[2] ?? '').length > base64Length(KEYS_BYTES_MAX))
        return { type: 'unsafe', present: true, why: TOO_LARGE };
      return {
        type,
        present: true,
        mode: (words[0] ?? '').padStart(4, '0'),
        directoryMode: (words[1] ?? '').padStart(4, '0'),
        text: Buffer.from(words[2] ?? '', 'base64').toString('utf8'),
      };
    default:
      throw new FactError(
        `the host answered a state of ${query.key}'s authorized keys that is not understood`,
      );
  }
}
