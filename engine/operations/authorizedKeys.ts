import { AS_USER, SPLIT_PASSWD } from '../facts/authorizedKeys.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation, SavedItem } from './operation.ts';

/** `text`: the whole file, one key a line. */
export type WriteKeys = { readonly user: string; readonly text: string };

/**
 * Everything below the home folder is done with the user's own rights, so links that a hostile user puts there lead
 * nowhere new. Only ~/.ssh itself is made by root where the home folder is root's, which that user cannot change.
 * Words after it are the script's arguments.
 */
function inHome(script: Sh): Sh {
  return sh`${AS_USER} ${`cd -- "$1" || exit 1; shift; umask 077; ${script.text}`} sh "$H"`;
}

/** Sets U, G and H. */
function ofUser(user: string): Sh {
  return sh`L=$(getent passwd ${user}) || { echo "the user "${user}" does not exist" >&2; exit 1; }
${SPLIT_PASSWD}`;
}

const SAFE: Sh = sh`for f in .ssh .ssh/authorized_keys; do
if [ -L "$f" ]; then echo "~/$f is a symbolic link; replace it by a real one, or remove it" >&2; exit 1; fi; done`;

export const writeKeys: Operation<WriteKeys> = {
  operation: 'authorized-keys.write',
  items: (p) => [`authorized-keys:${p.user}`],
  check: (p) =>
    lines(
      ofUser(p.user),
      sh`printf %s ${p.text} | ${inHome(sh`${SAFE}
[ "$(stat -c '%u %a' .ssh .ssh/authorized_keys 2>/dev/null | tr '\n' ' ')" = "$1 700 $1 600 " ] && cmp -s - .ssh/authorized_keys`)} "$U"`,
    ),
  apply: (p) =>
    lines(
      ofUser(p.user),
      makeDirectory(p.user),
      sh`printf %s ${p.text} | ${inHome(sh`set -e; ${SAFE}
chmod 0700 .ssh; t=.ssh/.doaas.write; rm -f -- "$t"; cat > "$t"; chmod 0600 "$t"; sync "$t"; mv -fT -- "$t" .ssh/authorized_keys`)}`,
    ),
};

/** In a home folder that is root's the user may not make ~/.ssh; nobody else can either, so root's mkdir is safe. */
function makeDirectory(user: string): Sh {
  return sh`[ -d "$H" ] || { echo "the home folder $H of "${user}" does not exist; add it to directories" >&2; exit 1; }
if [ ! -e "$H/.ssh" ] && [ ! -L "$H/.ssh" ]; then
  if [ "$(stat -L -c %u -- "$H")" = 0 ] && [ "$U" != 0 ]; then mkdir -m 0700 -- "$H/.ssh"; chown -h -- "$U:$G" "$H/.ssh"
  else ${inHome(sh`mkdir -m 0700 .ssh`)}; fi
fi`;
}

/** Saved and put back with the user's rights too. `~/.ssh` goes when the engine made it and it is empty. */
export const authorizedKeysCustody: Custody = {
  fact: 'authorized-keys',
  capture: (user, save) => sh`d=${save}; mkdir -p "$d"
if L=$(getent passwd ${user}); then
  ${SPLIT_PASSWD}
  if [ ! -e "$H/.ssh" ] && [ ! -L "$H/.ssh" ]; then : > "$d/no-directory"; else
    ${inHome(sh`stat -c %a .ssh`)} > "$d/mode"
    ${inHome(sh`${SAFE}
[ ! -e .ssh/authorized_keys ] || tar --xattrs --acls -cf - .ssh/authorized_keys`)} > "$d/keys.tar"
  fi
else : > "$d/no-directory"; fi`,
  restore: (items) => lines(...items.map(restoreOne)),
};

/** Where the home folder is gone, so is the file. */
function restoreOne({ key, save }: SavedItem): Sh {
  return sh`d=${save}; H=
if L=$(getent passwd ${key}); then
  ${SPLIT_PASSWD}
fi
if [ -z "$H" ] || [ ! -d "$H" ]; then :
elif [ -e "$d/no-directory" ]; then
  if [ -d "$H/.ssh" ]; then
    ${inHome(sh`${SAFE}
rm -f .ssh/.doaas.write .ssh/authorized_keys`)}
    rmdir -- "$H/.ssh" 2>/dev/null || echo "note: $H/.ssh stays: it is not empty"
  fi
elif [ -s "$d/keys.tar" ]; then
  ${inHome(sh`set -e; ${SAFE}
rm -rf .ssh/.doaas.write .ssh/.doaas.restore; mkdir .ssh/.doaas.restore
tar --xattrs --acls -C .ssh/.doaas.restore -xpf -; sync .ssh/.doaas.restore/.ssh/authorized_keys
mv -fT .ssh/.doaas.restore/.ssh/authorized_keys .ssh/authorized_keys; rm -rf .ssh/.doaas.restore; chmod "$1" .ssh`)} "$(cat "$d/mode")" < "$d/keys.tar"
else
  ${inHome(sh`set -e; ${SAFE}
rm -f .ssh/.doaas.write .ssh/authorized_keys; chmod "$1" .ssh`)} "$(cat "$d/mode")"
fi`;
}
