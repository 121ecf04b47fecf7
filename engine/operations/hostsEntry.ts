import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation, SavedItem } from './operation.ts';

/** One line for the address with these names. Other lines keep every byte. */
export type SetHostsEntry = { readonly address: string; readonly names: readonly string[] };

/** Sets $0 to a line without its comment, with single blanks between the words. */
const AWK_BARE = `function bare(l) { sub(/#.*/, "", l); $0 = l; $1 = $1; return $0 }`;

export const setHostsEntry: Operation<SetHostsEntry> = {
  operation: 'hosts-entry.set',
  items: (p) => [`hosts-entry:${p.address}`],
  check: (p) => {
    const found = `${AWK_BARE}\n{ b = bare($0); if (NF > 1 && $1 == a) print b }`;
    return sh`[ "$(awk -v a=${p.address} ${found} /etc/hosts)" = ${[p.address, ...p.names].join(' ')} ]`;
  },
  apply: (p) => {
    const replace = `${AWK_BARE}
{ line = $0; bare($0) }
NF > 1 && $1 == a { if (!done++) print want; next }
{ print line }
END { if (!done) print want }`;
    return sh`h=/etc/hosts; [ -e "$h" ] || { : > "$h"; chmod 0644 "$h"; }
awk -v a=${p.address} -v want=${`${p.address}\\t${p.names.join(' ')}`} ${replace} "$h" > "$STEP/hosts"
${install(sh`"$STEP/hosts"`)}`;
  },
};

/** Keeps mode, owner and attributes of the file; replaces it in one step. */
function install(from: Sh): Sh {
  return sh`{ cp -a "$h" "$h.doaas"; cat ${from} > "$h.doaas"; sync "$h.doaas"; mv -fT "$h.doaas" "$h"; sync /etc; }`;
}

export const hostsEntryCustody: Custody = {
  fact: 'hosts-entry',
  capture: (_address, save) =>
    sh`d=${save}; mkdir -p "$d"; if [ -e /etc/hosts ]; then cp -a /etc/hosts "$d/hosts"; fi`,
  restore: (items) => lines(...items.map(restoreOne)),
};

/**
 * The address' own lines go back to their place: after the nearest line before them that is still there. Where nobody
 * changed anything else, the file ends up byte for byte as it was, also without a newline at its end.
 */
const MERGE = `${AWK_BARE}
{ line = $0; bare($0); mine = (NF > 1 && $1 == a) }
FILENAME == ARGV[1] { saved[++sn] = line; smine[sn] = mine; next }
!mine { out[++on] = line; if (!(line in first)) first[line] = on }
END {
  anchor = 0
  for (j = 1; j <= sn; j++) {
    if (smine[j]) put[anchor] = put[anchor] saved[j] "\\n"
    else {
      for (i = anchor + 1; i <= on && out[i] != saved[j]; i++);
      if (i <= on) anchor = i
    }
  }
  for (i = 0; i <= on; i++) { if (i > 0) print out[i]; printf "%s", put[i] }
}`;

function restoreOne({ key, save }: SavedItem): Sh {
  return sh`d=${save}; h=/etc/hosts; s="$d/hosts"; [ -e "$s" ] || s=/dev/null
if [ -e "$h" ]; then
  awk -v a=${key} ${MERGE} "$s" "$h" > "$d/merged"
  if [ "$s" = /dev/null ] && [ ! -s "$d/merged" ]; then rm -f "$h"
  elif awk 1 "$s" | cmp -s - "$d/merged"; then
    cmp -s "$s" "$h" || ${install(sh`"$s"`)}
  else ${install(sh`"$d/merged"`)}; fi
  rm -f "$d/merged"
elif [ "$s" != /dev/null ]; then cp -a "$s" "$h"; fi`;
}
