import { lines, type Sh, sh } from '../shell/sh.ts';
import { base64Length } from './base64.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

/** Files, directories and links share one namespace on a host, so they are one fact. */
export interface PathQuery {
  readonly fact: 'path';
  /** Absolute, normalised path. */
  readonly key: string;
  /** When the file's content has another sha256 than this, its content is read too, for the diff, if everybody may read it. */
  readonly unlessSha256?: string;
  /** A copy of it that the engine keeps, whose content is read too where everybody could read the original. */
  readonly saved?: string;
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
      /** Of the saved copy, likewise. */
      readonly saved?: string;
    })
  | (Ownership & { readonly type: 'directory'; readonly present: true })
  | (Ownership & { readonly type: 'link'; readonly present: true; readonly target: string })
  | { readonly type: 'other'; readonly present: true; readonly description: string };

/** A file over this size is replaced without a line-by-line diff. Bytes. */
const DIFF_BYTES_MAX = 262_144;

/**
 * One stat and one sha256sum answer for many paths (`doaas_paths`); what they did not answer plainly, such as names
 * with newlines, is read alone. A process costs a host some 2 ms, and a plan reads every path.
 */
const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_nl='
'
doaas_paths() { # PATH ...
  doaas_stats=$doaas_nl$(stat -c '%a %u %g %U %G %h %s %F%n' -- "$@" 2>/dev/null || :)$doaas_nl
  doaas_left=$#
  for doaas_p in "$@"; do if [ -f "$doaas_p" ] && [ ! -L "$doaas_p" ]; then set -- "$@" "$doaas_p"; fi; done
  shift "$doaas_left"
  doaas_sums=
  [ "$#" -eq 0 ] || doaas_sums=$doaas_nl$(sha256sum -- "$@" 2>/dev/null || :)$doaas_nl
}
doaas_stat() { # PATH TYPE: doaas_words becomes what stat said of it
  doaas_words=\${doaas_stats%%"$2$1$doaas_nl"*}
  [ "$doaas_words" != "$doaas_stats" ] || return 1
  doaas_words=\${doaas_words##*"$doaas_nl"}
  set -- $doaas_words; [ "$#" -eq 7 ]
}
doaas_sum() { # PATH
  doaas_hash=\${doaas_sums%%"  $1$doaas_nl"*}
  [ "$doaas_hash" != "$doaas_sums" ] || return 1
  doaas_hash=\${doaas_hash##*"$doaas_nl"}; [ "\${#doaas_hash}" -eq 64 ]
}
doaas_alone() { # PATH
  doaas_words=$(stat -c '%a %u %g %U %G %h %s' -- "$1"); doaas_hash=$(sha256sum < "$1"); doaas_hash=\${doaas_hash%% *}
}
doaas_text() { # PATH UNLESS: doaas_base64, if it is asked for
  set -- "$1" "$2" $doaas_words
  [ "$#" -eq 9 ] && [ -n "$2" ] && [ "$2" != "$doaas_hash" ] && [ "$9" -le ${DIFF_BYTES_MAX} ] || return 1
  # as nobody: a plan is shown to people who may not log in here, so it shows what any user here can read
  doaas_base64=$(setpriv --reuid=65534 --regid=65534 --clear-groups -- base64 -w0 -- "$1" 2>/dev/null) || return 1
  [ "\${#doaas_base64}" -eq "$((($9 + 2) / 3 * 4))" ] || doaas_torn=yes
}
doaas_file() {
  if ! { doaas_stat "$1" 'regular file' || doaas_stat "$1" 'regular empty file'; } || ! doaas_sum "$1"; then doaas_alone "$1"; fi
  doaas_shown= doaas_torn=
  ! doaas_text "$1" "$2" || doaas_shown=yes
  # somebody wrote it between two of the looks
  if [ -n "$doaas_torn" ]; then doaas_shown=; doaas_alone "$1"; ! doaas_text "$1" "$2" || doaas_shown=yes; fi
  set -- $doaas_words
  [ "$#" -eq 7 ] || { echo absent; return; }
  case $6 in 1) doaas_links= ;; *) doaas_links=" $6" ;; esac
  printf 'file %s %s %s %s %s %s%s\\n~ size %s\\n' "$1" "$2" "$3" "$4" "$5" "$doaas_hash" "$doaas_links" "$7"
  [ -z "$doaas_shown" ] || printf '~ content %s\\n' "$doaas_base64"
}
doaas_path() {
  if [ -L "$1" ]; then
    printf 'link %s %s\\n' "$(stat -c '%a %u %g %U %G' -- "$1")" "$(readlink -n -- "$1" | base64 -w0)"
  elif [ -f "$1" ]; then
    doaas_file "$1" "$2"
  elif [ -d "$1" ]; then
    if doaas_stat "$1" directory; then set -- $doaas_words; printf 'directory %s %s %s %s %s\\n' "$1" "$2" "$3" "$4" "$5"
    else printf 'directory %s\\n' "$(stat -c '%a %u %g %U %G' -- "$1")"; fi
  elif [ -e "$1" ]; then
    printf 'other %s\\n' "$(stat -c '%F' -- "$1" | tr ' ' '-')"
  else
    echo absent
  fi
}
doaas_saved() { # COPY
  case $(stat -c '%F %s %a' -- "$1" 2>/dev/null) in 'regular file '*[4567])
    [ "$(stat -c %s -- "$1")" -gt ${DIFF_BYTES_MAX} ] || printf '~ saved %s\\n' "$(base64 -w0 -- "$1")" ;;
  esac
}`,
};

/** Paths that one stat answers for; the shell looks each up in the text of all. */
const TOGETHER = 64;

function chunks(queries: readonly PathQuery[]): readonly (readonly PathQuery[])[] {
  const count = Math.ceil(queries.length / TOGETHER);
  return Array.from({ length: count }, (_, n) => queries.slice(n * TOGETHER, (n + 1) * TOGETHER));
}

function readMany(queries: readonly PathQuery[]): readonly Sh[] {
  return [sh`doaas_paths ${queries.map((query) => query.key)}`, ...queries.map(readOne)];
}

function readOne(query: PathQuery): Sh {
  return lines(
    sh`echo ${`= ${encodeKey(query.key)}`}`,
    sh`doaas_path ${query.key} ${query.unlessSha256 ?? ''}`,
    ...(query.saved === undefined ? [] : [sh`doaas_saved ${query.saved}`]),
  );
}

export const pathFact: Fact<PathQuery, PathState> = {
  fact: 'path',
  read: (queries) => lines(FUNCTION, ...chunks(queries).flatMap(readMany)),
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
      return { type, present: true, ...ownership(words, query), ...fileDetail(words, output, query) };
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

function fileDetail(words: readonly string[], output: readonly string[], query: PathQuery) {
  const size = informational(output, 'size');
  const content = query.unlessSha256 === undefined ? undefined : bounded(informational(output, 'content'));
  const saved = query.saved === undefined ? undefined : bounded(informational(output, 'saved'));
  // another length is of another moment, or a lie
  const ofSize = size === undefined || Buffer.byteLength(content ?? '', 'base64') === Number(size);
  return {
    sha256: words[5] ?? '',
    links: Number(words[6] ?? '1'),
    size: Number(size ?? '0'),
    ...(content === undefined || !ofSize ? {} : { content }),
    ...(saved === undefined ? {} : { saved }),
  };
}

/** A host that lies may send what was not asked for, and more of it than its own shell would. */
function bounded(base64: string | undefined): string | undefined {
  return base64 !== undefined && base64.length <= base64Length(DIFF_BYTES_MAX) ? base64 : undefined;
}

function informational(output: readonly string[], name: string): string | undefined {
  const prefix = `~ ${name} `;
  return output.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8');
}
