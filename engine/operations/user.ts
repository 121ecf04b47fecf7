import { itemKey } from '../facts/fact.ts';
import { itemDir } from '../facts/owned.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import { ACCOUNTS } from './accounts.ts';
import type { Operation } from './operation.ts';

/** null: not managed, an existing user keeps it and a new one gets useradd(8)'s default. */
export type SetUser = {
  readonly name: string;
  readonly uid: number | null;
  readonly group: string | null;
  readonly groups: readonly string[] | null;
  readonly shell: string | null;
  readonly home: string | null;
  readonly comment: string | null;
  /** From the system range, without a home folder, when it is created. */
  readonly system: boolean;
};
export type RemoveUser = { readonly name: string };

export const setUser: Operation<SetUser> = {
  operation: 'user.set',
  items: (p) => [`user:${p.name}`],
  check: (p) => sh`L=$(getent passwd ${p.name}) || exit 1
IFS=: read -r _ _ u _ c h s <<EOF
$L
EOF
${attributes(p)} && ${primaryGroup(p)} && ${supplementary(p)}`,
  library: ACCOUNTS,
  apply: (p) => lines(ensureUser(p), makeHome()),
};

/** The home folder stays; the user's own group goes with it, as userdel(8) does. */
export const removeUser: Operation<RemoveUser> = {
  operation: 'user.remove',
  items: (p) => [`user:${p.name}`],
  check: (p) => sh`! getent passwd ${p.name} > /dev/null`,
  apply: (p) => sh`if getent passwd ${p.name} > /dev/null; then userdel ${p.name}; fi`,
};

function attributes(p: SetUser): Sh {
  const is = (variable: Sh, value: string | number | null) =>
    value === null ? sh`:` : sh`[ ${variable} = ${value} ]`;
  return sh`${is(sh`"$u"`, p.uid)} && ${is(sh`"$c"`, p.comment)} && ${is(sh`"$h"`, p.home)} && ${is(sh`"$s"`, p.shell)}`;
}

function primaryGroup(p: SetUser): Sh {
  return p.group === null ? sh`:` : sh`[ "$(id -gn ${p.name})" = ${p.group} ]`;
}

/** The primary group does not count on either side. */
function supplementary(p: SetUser): Sh {
  if (p.groups === null) return sh`:`;
  const filter = sh`grep -vxF -e "$(id -gn ${p.name})" -e '' | sort -u`;
  return sh`[ "$(id -nG ${p.name} | tr ' ' '\n' | ${filter})" = "$(printf '%s\n' ${p.groups} | ${filter})" ]`;
}

/** An account without a password has none that ends; PAM would ask whoever logs in with a key for a new one. As of useradd(8), `-K`. */
const NO_AGEING = ['-K', 'PASS_MAX_DAYS=-1'];

/**
 * Notes in the item's folder what comes with the user, for the undo: its own group, and that a home folder is to be
 * made, which must survive a cut between useradd and the folder. `--no-log-init`: lastlog and faillog stay as they are.
 */
function ensureUser(p: SetUser): Sh {
  const same = [...option('--uid', p.uid), ...option('--shell', p.shell), ...option('--comment', p.comment)];
  const groups = p.groups === null ? [] : ['--groups', p.groups.join(',')];
  const add = [...same, ...option('--home-dir', p.home), ...groups];
  const modify = [...same, ...option('--home', p.home), ...groups, ...option('--gid', p.group)];
  const newHome =
    p.home === null ? sh`:` : sh`[ "$(getent passwd "$p" | cut -d: -f6)" = ${p.home} ] || : > "$i/make-home"`;
  const ownGroup = sh`if getent group "$p" > /dev/null; then set -- --gid "$p"; else set -- --user-group; : > "$i/own-group"; fi`;
  return sh`p=${p.name}; i=${itemDir(itemKey('user', p.name))}; mkdir -p "$i"
if getent passwd "$p" > /dev/null; then
  ${newHome}
  ${modify.length === 0 ? sh`:` : sh`usermod ${modify} "$p"`}
else
  ${p.system ? sh`:` : sh`: > "$i/make-home"`}
  ${p.group === null ? ownGroup : sh`set -- --gid ${p.group}`}
  sync -f "$i"; useradd --no-log-init --no-create-home ${NO_AGEING} ${p.system ? ['--system'] : []} ${add} "$@" "$p"
fi`;
}

/** The skeleton appears in one piece. Its parent must be root's, so that nobody can put a link in the way. */
function makeHome(): Sh {
  return sh`if [ -e "$i/make-home" ]; then
  h=$(getent passwd "$p" | cut -d: -f6); a=$(dirname "$h"); t="$h.doaas"
  if [ ! -e "$h" ] && [ ! -L "$h" ]; then
    [ -e "$i/home.parents" ] || : > "$i/home.parents"
    b="$a"; while [ ! -e "$b" ]; do printf '%s\n' "$b" >> "$i/home.parents"; b=$(dirname "$b"); done
    (umask 022; mkdir -p -- "$a")
    [ "$(stat -c %u -- "$a")" = 0 ] || { echo "$a does not belong to root; make $h as a directory of its own" >&2; exit 1; }
    m=$(awk '$1 == "HOME_MODE" { m = $2 } END { print m ? m : "0700" }' /etc/login.defs)
    rm -rf --one-file-system -- "$t"; mkdir -- "$t"
    if [ -d /etc/skel ]; then cp -a /etc/skel/. "$t/"; fi
    chown -R -h "$(id -u "$p"):$(id -g "$p")" -- "$t"; chmod "$m" -- "$t"
    doaas_home_list "$t" > "$i/home.list"; printf '%s\n' "$h" > "$i/home"; sync -f "$i"
    mv -T -- "$t" "$h"; sync "$a"
  fi
  rm -f "$i/make-home"
fi`;
}

function option(name: string, value: string | number | null): readonly string[] {
  return value === null ? [] : [name, String(value)];
}
