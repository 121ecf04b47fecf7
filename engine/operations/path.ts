import type { PathState } from '../facts/path.ts';
import type { Step } from '../plan/step.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { SecretUse } from '../spec/secrets.ts';
import type { Custody, Operation, SavedItem } from './operation.ts';

/** A regular file with this content. */
export type WriteFile = {
  readonly path: string;
  readonly sha256: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** The payload is a text with placeholders: before it goes to the host, the step is replaced by `unsealedStep`. */
  readonly sealed?: Sealed;
};

export type Sealed = { readonly fingerprint: string; readonly uses: readonly SecretUse[] };

/** The step as the host gets it, with the hash of the content whose secrets are filled in. */
export function unsealed(step: Step, sha256: string): Step {
  const { sealed: _, ...params } = step.params;
  return { ...step, params: { ...params, sha256 } };
}

/** Undefined for a step that writes no secret. */
export function sealedOf({ operation, params }: Step): (Sealed & { readonly sha256: string }) | undefined {
  if (operation !== writeFile.operation) return undefined;
  const { sealed, sha256 } = params as WriteFile;
  return sealed === undefined ? undefined : { ...sealed, sha256 };
}

/** Placeholders must never be written: a defect that would let them is stopped here. */
function wholeHash({ path, sha256, sealed }: WriteFile): string {
  if (sealed !== undefined) throw new Error(`the secrets of ${path} have not been filled in`);
  return sha256;
}

export type MakeDirectory = {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
};
export type MakeLink = { readonly path: string; readonly target: string };
export type RemovePath = { readonly path: string; readonly type: PathState['type'] };

/**
 * New content is made ready in a root-only folder beside its place, with that folder as the working directory, and then
 * moved out in one step. A parent may belong to a hostile user: whatever links are put in the way meanwhile, nothing
 * is written, chowned or chmodded outside that folder, and it cannot be moved away (rename(2) needs write permission
 * on a folder that changes its parent).
 */
export const PATH_FUNCTIONS: Sh = {
  kind: 'sh',
  text: `doaas_parents() { (umask 022; mkdir -p -- "$(dirname "$1")"); } # PATH
doaas_stage() { # PATH
  doaas_parents "$1"; cd -P -- "$(dirname "$1")"; here=$(pwd -P)
  rm -rf -- .doaas.stage; mkdir -m 0700 -- .doaas.stage; cd -P -- .doaas.stage
  if [ "$(pwd -P)" != "\${here%/}/.doaas.stage" ] || [ ! -O . ]; then echo "somebody replaces folders in $here" >&2; return 1; fi
}
doaas_place() { # PATH: the file "item" goes there
  if [ -f item ] && [ ! -L item ]; then sync item; fi
  mv -fT -- item "../\${1##*/}"; cd ..; rmdir -- .doaas.stage; sync .
}
doaas_not_directory() { # PATH
  [ ! -d "$1" ] || [ -L "$1" ] || { echo "$1 is a directory; remove it from the host or change the path" >&2; return 1; }
}`,
};

/**
 * A file or link is saved as a copy with mode, owner, times and extended attributes, and with the other names of its
 * inode; of a directory only its own attributes are saved (in a tar without recursion), never its content. Missing
 * parents are noted so that restore removes those that the write creates.
 */
export const pathCustody: Custody = {
  fact: 'path',
  library: PATH_FUNCTIONS,
  capture: (path, save) => sh`p=${path}; d=${save}; mkdir -p "$d"
if [ -d "$p" ] && [ ! -L "$p" ]; then
  tar --numeric-owner --xattrs --acls --no-recursion -C / -cf "$d/directory.tar" ".$p" 2>/dev/null || tar --numeric-owner --no-recursion -C / -cf "$d/directory.tar" ".$p"
elif [ -e "$p" ] || [ -L "$p" ]; then
  cp -a -- "$p" "$d/item"
  if [ "$(stat -c %h -- "$p")" -gt 1 ]; then find "$(stat -c %m -- "$p")" -xdev -samefile "$p" ! -path "$p" > "$d/names"; fi
else
  a=$(dirname "$p"); : > "$d/parents"
  while [ ! -e "$a" ]; do printf '%s\n' "$a" >> "$d/parents"; a=$(dirname "$a"); done
  : > "$d/absent"
fi`,
  restore: (items) => lines(...items.map(restoreOne)),
};

/** A hard link is joined again with another name that still has the saved content, mode and owner. */
function restoreOne(item: SavedItem): Sh {
  return sh`(p=${item.key}; d=${item.save}
rm -rf -- "$(dirname "$p")/.doaas.stage"
if [ -e "$d/directory.tar" ]; then
  if [ ! -d "$p" ] || [ -L "$p" ]; then rm -f -- "$p"; fi
  tar --numeric-owner --xattrs --acls -C / -xpf "$d/directory.tar" 2>/dev/null || tar --numeric-owner -C / -xpf "$d/directory.tar"
elif [ -e "$d/item" ] || [ -L "$d/item" ]; then
  if [ -d "$p" ] && [ ! -L "$p" ]; then rmdir -- "$p"; fi
  doaas_stage "$p"
  if [ -s "$d/names" ]; then while IFS= read -r o; do
    if [ ! -e item ] && [ "$(stat -c '%F %a %u %g' -- "$o" 2>/dev/null)" = "$(stat -c '%F %a %u %g' -- "$d/item")" ] && { [ -L "$o" ] || cmp -s "$o" "$d/item"; }; then
      ln -P -- "$o" item 2>/dev/null || :
    fi
  done < "$d/names"; fi
  [ -e item ] || [ -L item ] || cp -a -- "$d/item" item
  doaas_place "$p"
elif [ -e "$d/absent" ]; then
  if [ -d "$p" ] && [ ! -L "$p" ]; then rmdir -- "$p"; else rm -f -- "$p"; fi
  while IFS= read -r a; do [ ! -d "$a" ] || rmdir -- "$a" 2>/dev/null || :; done < "$d/parents"
else
  echo "nothing was saved for $p" >&2; exit 1
fi)`;
}

export const writeFile: Operation<WriteFile> = {
  operation: 'file.write',
  items: (p) => [`path:${p.path}`],
  payloads: (p) => [p.sha256, ...encryptedFiles(p)],
  check: (p) =>
    sh`p=${p.path}; [ -f "$p" ] && [ ! -L "$p" ] && ${sameOwnership(p)} && [ "$(sha256sum < "$p")" = ${`${wholeHash(p)}  -`} ]`,
  library: PATH_FUNCTIONS,
  apply: (p) => sh`p=${p.path}; doaas_not_directory "$p"; doaas_stage "$p"
cat "$DOAAS_PAYLOADS"/${wholeHash(p)} > item; chown -- ${`${p.owner}:${p.group}`} item; chmod -- ${p.mode} item
doaas_place "$p"`,
};

function encryptedFiles({ sealed }: WriteFile): readonly string[] {
  return (sealed?.uses ?? []).flatMap(({ ref }) => (ref.from === 'age' ? [ref.sha256] : []));
}

/** Five digits of mode: with four, chmod(1) keeps a set-group-ID that the parent gave. */
export const makeDirectory: Operation<MakeDirectory> = {
  operation: 'directory.make',
  library: PATH_FUNCTIONS,
  items: (p) => [`path:${p.path}`],
  check: (p) => sh`p=${p.path}; [ -d "$p" ] && [ ! -L "$p" ] && ${sameOwnership(p)}`,
  apply: (p) => sh`p=${p.path}
if [ -L "$p" ] || { [ -e "$p" ] && [ ! -d "$p" ]; }; then rm -f -- "$p"; fi
if [ ! -d "$p" ]; then doaas_parents "$p"; mkdir -- "$p"; fi
chown -h -- ${`${p.owner}:${p.group}`} "$p"; chmod -- ${`0${p.mode}`} "$p"; sync "$p"`,
};

export const makeLink: Operation<MakeLink> = {
  operation: 'link.make',
  items: (p) => [`path:${p.path}`],
  check: (p) => sh`p=${p.path}; [ -L "$p" ] && [ "$(readlink -- "$p")" = ${p.target} ]`,
  library: PATH_FUNCTIONS,
  apply: (p) =>
    sh`p=${p.path}; doaas_not_directory "$p"; doaas_stage "$p"; ln -s -- ${p.target} item; doaas_place "$p"`,
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
