import { sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';

/** Mode (four octal digits), owner and group of a file or folder that is there; its content is not touched. */
export type SetMode = {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
};

export const setMode: Operation<SetMode> = {
  operation: 'mode.set',
  items: (p) => [`mode:${p.path}`],
  check: (p) =>
    sh`[ ! -L ${p.path} ] && [ "$(stat -c '%a %U %G' -- ${p.path})" = ${`${p.mode.replace(/^0+(?=.)/, '')} ${p.owner} ${p.group}`} ]`,
  // chown(2) takes set-user-ID away, so the mode comes last; with five digits a folder loses set-group-ID as well.
  apply: (p) => sh`p=${p.path}
[ ! -L "$p" ] || { echo "$p is a link now; look at who made it" >&2; exit 1; }
chown -- ${`${p.owner}:${p.group}`} "$p"; chmod -- ${`0${p.mode}`} "$p"`,
};

/** Only mode and owner: what others wrote into the file meanwhile stays. A file that is gone by then stays gone. */
export const modeCustody: Custody = {
  fact: 'mode',
  capture: (path, save) =>
    sh`mkdir -p ${save}; { [ -L ${path} ] || stat -c '%a %u %g' -- ${path}; } > ${save}/mode 2>/dev/null || :`,
  restore: (items) => ({
    kind: 'sh',
    text: items.map(({ key, save }) => restoreOne(key, save).text).join('\n'),
  }),
};

function restoreOne(path: string, save: Parameters<Custody['capture']>[1]) {
  return sh`if [ -s ${save}/mode ] && [ -e ${path} ] && [ ! -L ${path} ]; then
  read -r m u g < ${save}/mode; chown -- "$u:$g" ${path}; chmod -- "0$m" ${path}
fi`;
}
