import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

/** Files, directories and links share one namespace on a host, so they are one fact. */
export interface PathQuery {
  readonly fact: 'path';
  /** Absolute, normalised path. */
  readonly key: string;
  /** When the file's content has another sha256 than this, its content is read too, for the diff. */
  readonly unlessSha256?: string;
}

interface Ownership {
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly owner: string;
  readonly group: string;
}

export type PathState =
  | { readonly type: 'absent'; readonly present: false }
  | (Ownership & {
      readonly type: 'file';
      readonly present: true;
      readonly sha256: string;
      readonly links: number;
      readonly size: number;
      /** Base64; only where asked for and not over the bound. */
      readonly content?: string;
    })
  | (Ownership & { readonly type: 'directory'; readonly present: true })
  | (Ownership & { readonly type: 'link'; readonly present: true; readonly target: string })
  | { readonly type: 'other'; readonly present: true; readonly description: string };

/** A file over this size is replaced without a line-by-line diff. Bytes. */
const DIFF_BYTES_MAX = 262_144;

const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_path() {
  if [ -L "$1" ]; then
    printf 'link %s %s\\n' "$(stat -c '%a %u %g %U %G' -- "$1")" "$(readlink -n -- "$1" | base64 -w0)"
  elif [ -f "$1" ]; then
    set -- "$1" "$2" $(stat -c '%a %u %g %U %G %h %s' -- "$1") $(sha256sum < "$1")
    printf 'file %s %s %s %s %s %s %s\\n' "$3" "$4" "$5" "$6" "$7" "\${10}" "$8" | sed 's/ 1$//'
    printf '~ size %s\\n' "$9"
    if [ -n "$2" ] && [ "$2" != "\${10}" ] && [ "$9" -le ${DIFF_BYTES_MAX} ]; then
      printf '~ content %s\\n' "$(base64 -w0 < "$1")"
    fi
  elif [ -d "$1" ]; then
    printf 'directory %s\\n' "$(stat -c '%a %u %g %U %G' -- "$1")"
  elif [ -e "$1" ]; then
    printf 'other %s\\n' "$(stat -c '%F' -- "$1" | tr ' ' '-')"
  else
    echo absent
  fi
}`,
};

function readOne(query: PathQuery): Sh {
  return lines(
    sh`echo ${`= ${encodeKey(query.key)}`}`,
    sh`doaas_path ${query.key} ${query.unlessSha256 ?? ''}`,
  );
}

export const pathFact: Fact<PathQuery, PathState> = {
  fact: 'path',
  read: (queries) => lines(FUNCTION, ...queries.map(readOne)),
  parse: (output, query) => parsePath(output, query),
};

function parsePath(output: readonly string[], query: PathQuery): PathState {
  const [type = '', ...words] = (output[0] ?? '').split(' ');
  switch (type) {
    case 'absent':
      return { type, present: false };
    case 'other':
      return { type, present: true, description: words.join(' ') };
    case 'directory':
      return { type, present: true, ...ownership(words, query) };
    case 'link':
      return { type, present: true, ...ownership(words, query), target: decode(words[5]) };
    case 'file':
      return { type, present: true, ...ownership(words, query), ...fileDetail(words, output) };
    default:
      throw new FactError(
        `${query.key}: the host answered a path state that is not understood: ${type.slice(0, 40)}`,
      );
  }
}

function ownership(words: readonly string[], query: PathQuery): Ownership {
  const [mode = '', uid = '', gid = '', owner = '', group = ''] = words;
  if (!/^[0-7]{1,5}$/.test(mode)) throw new FactError(`${query.key}: the host answered no mode`);
  return {
    mode: mode.padStart(4, '0'),
    uid: Number(uid),
    gid: Number(gid),
    owner: owner === 'UNKNOWN' ? uid : owner,
    group: group === 'UNKNOWN' ? gid : group,
  };
}

function fileDetail(words: readonly string[], output: readonly string[]) {
  const content = informational(output, 'content');
  return {
    sha256: words[5] ?? '',
    links: Number(words[6] ?? '1'),
    size: Number(informational(output, 'size') ?? '0'),
    ...(content === undefined ? {} : { content }),
  };
}

function informational(output: readonly string[], name: string): string | undefined {
  const prefix = `~ ${name} `;
  return output.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8');
}
