import type { PathState } from '../facts/path.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation, SavedItem } from './operation.ts';

/** A regular file with this content. */
export type WriteFile = {
  readonly path: string;
  readonly sha256: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
};

export type MakeDirectory = {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
};
export type MakeLink = { readonly path: string; readonly target: string };
export type RemovePath = { readonly path: string; readonly type: PathState['type'] };

/**
 * A file or link is saved as a copy with mode, owner, times and extended attributes; of a directory only its own
 * attributes are saved (in a tar without recursion), never its content. Missing parents are noted so that restore
 * removes those that the write creates.
 */
export const pathCustody: Custody = {
  fact: 'path',
  capture: (path, save) => sh`p=${path}; d=${save}; mkdir -p "$d"
if [ -d "$p" ] && [ ! -L "$p" ]; then
  tar --numeric-owner --xattrs --acls --no-recursion -C / -cf "$d/directory.tar" ".$p" 2>/dev/null || tar --numeric-owner --no-recursion -C / -cf "$d/directory.tar" ".$p"
elif [ -e "$p" ] || [ -L "$p" ]; then
  cp -a -- "$p" "$d/item"
else
  a=$(dirname "$p"); : > "$d/parents"
  while [ ! -e "$a" ]; do printf '%s\n' "$a" >> "$d/parents"; a=$(dirname "$a"); done
  : > "$d/absent"
fi`,
  restore: (items) => lines(...items.map(restoreOne)),
};

function restoreOne(item: SavedItem): Sh {
  return sh`p=${item.key}; d=${item.save}; t="$(dirname "$p")/.doaas.restore"
rm -f -- "$(dirname "$p")/.doaas.write"
if [ -e "$d/directory.tar" ]; then
  if [ ! -d "$p" ] || [ -L "$p" ]; then rm -f -- "$p"; fi
  tar --numeric-owner --xattrs --acls -C / -xpf "$d/directory.tar" 2>/dev/null || tar --numeric-owner -C / -xpf "$d/directory.tar"
elif [ -e "$d/item" ] || [ -L "$d/item" ]; then
  rm -rf -- "$t"; cp -a -- "$d/item" "$t"
  if [ -d "$p" ] && [ ! -L "$p" ]; then rmdir -- "$p"; fi
  [ -L "$t" ] || sync "$t"
  mv -fT -- "$t" "$p"; sync "$(dirname "$p")"
elif [ -e "$d/absent" ]; then
  if [ -d "$p" ] && [ ! -L "$p" ]; then rmdir -- "$p"; else rm -f -- "$p"; fi
  while IFS= read -r a; do [ ! -d "$a" ] || rmdir -- "$a" 2>/dev/null || :; done < "$d/parents"
else
  echo "nothing was saved for $p" >&2; exit 1
fi`;
}

export const writeFile: Operation<WriteFile> = {
  operation: 'file.write',
  items: (p) => [`path:${p.path}`],
  payloads: (p) => [p.sha256],
  check: (p) =>
    sh`p=${p.path}; [ -f "$p" ] && [ ! -L "$p" ] && ${sameOwnership(p)} && [ "$(sha256sum < "$p")" = ${`${p.sha256}  -`} ]`,
  apply: (p) => sh`p=${p.path}; d=$(dirname "$p"); t="$d/.doaas.write"
[ -d "$d" ] || mkdir -p -m 0755 -- "$d"
if [ -d "$p" ] && [ ! -L "$p" ]; then echo "$p is a directory; remove it from the host or change the path" >&2; exit 1; fi
rm -f -- "$t"; cat "$DOAAS_PAYLOADS"/${p.sha256} > "$t"
chown -- ${`${p.owner}:${p.group}`} "$t"; chmod -- ${p.mode} "$t"; sync "$t"
mv -fT -- "$t" "$p"; sync "$d"`,
};

export const makeDirectory: Operation<MakeDirectory> = {
  operation: 'directory.make',
  items: (p) => [`path:${p.path}`],
  check: (p) => sh`p=${p.path}; [ -d "$p" ] && [ ! -L "$p" ] && ${sameOwnership(p)}`,
  apply: (p) => sh`p=${p.path}
if [ ! -d "$p" ]; then mkdir -p -m 0755 -- "$(dirname "$p")"; mkdir -- "$p"; fi
chown -- ${`${p.owner}:${p.group}`} "$p"; chmod -- ${p.mode} "$p"; sync "$p"`,
};

export const makeLink: Operation<MakeLink> = {
  operation: 'link.make',
  items: (p) => [`path:${p.path}`],
  check: (p) => sh`p=${p.path}; [ -L "$p" ] && [ "$(readlink -- "$p")" = ${p.target} ]`,
  apply: (p) => sh`p=${p.path}; d=$(dirname "$p"); t="$d/.doaas.write"
[ -d "$d" ] || mkdir -p -m 0755 -- "$d"
if [ -d "$p" ] && [ ! -L "$p" ]; then echo "$p is a directory; remove it from the host or change the path" >&2; exit 1; fi
rm -f -- "$t"; ln -s -- ${p.target} "$t"; mv -fT -- "$t" "$p"; sync "$d"`,
};

/** Directories go only when empty: the engine never deletes what it did not create. */
export const removePath: Operation<RemovePath> = {
  operation: 'path.remove',
  items: (p) => [`path:${p.path}`],
  check: (p) => sh`p=${p.path}; [ ! -e "$p" ] && [ ! -L "$p" ]`,
  apply: (p) => sh`p=${p.path}
if [ -d "$p" ] && [ ! -L "$p" ]; then rmdir -- "$p"; else rm -f -- "$p"; fi; sync "$(dirname "$p")"`,
};

function sameOwnership(p: { readonly mode: string; readonly owner: string; readonly group: string }): Sh {
  const names = `${p.mode.replace(/^0+(?=.)/, '')} ${p.owner} ${p.group}`;
  const format = `%a ${/^\d+$/.test(p.owner) ? '%u' : '%U'} ${/^\d+$/.test(p.group) ? '%g' : '%G'}`;
  return sh`[ "$(stat -c ${format} -- "$p")" = ${names} ]`;
}
