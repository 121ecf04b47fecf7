import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

/** Mode and owner of a path that somebody else writes: saved and put back without its content. */
export interface ModeQuery {
  readonly fact: 'mode';
  /** Absolute, normalised path. */
  readonly key: string;
}

export type ModeState =
  /** Not there, or a link, whose mode means nothing. */
  | { readonly present: false }
  | {
      readonly present: true;
      /** Four or five octal digits. */
      readonly mode: string;
      readonly owner: string;
      readonly group: string;
    };

/** One stat answers for all paths. */
const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_nl='
'
doaas_mode() { # PATH, with "PATH|MODE UID GID OWNER GROUP" lines in doaas_modes
  doaas_words=\${doaas_modes#*"$doaas_nl$1|"}
  if [ -L "$1" ] || [ "$doaas_words" = "$doaas_modes" ]; then echo absent; else echo "mode \${doaas_words%%"$doaas_nl"*}"; fi
}`,
};

export const modeFact: Fact<ModeQuery, ModeState> = {
  fact: 'mode',
  read: (queries) =>
    lines(
      FUNCTION,
      sh`doaas_modes=$doaas_nl$(stat -c '%n|%a %u %g %U %G' -- ${queries.map((q) => q.key)} 2>/dev/null || :)$doaas_nl`,
      ...queries.map((q) => sh`echo ${`= ${encodeKey(q.key)}`}; doaas_mode ${q.key}`),
    ),
  parse: (output, query) => parseMode(output, query),
};

function parseMode(output: readonly string[], query: ModeQuery): ModeState {
  const [type, mode = '', uid = '', gid = '', owner = uid, group = gid] = (output[0] ?? '').split(' ');
  if (type === 'absent') return { present: false };
  if (type !== 'mode' || !/^[0-7]{1,5}$/.test(mode))
    throw new FactError(`${query.key}: the host answered a mode that is not understood`);
  return { present: true, mode: mode.padStart(4, '0'), owner, group };
}
