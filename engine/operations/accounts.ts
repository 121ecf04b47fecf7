import { readFileSync } from 'node:fs';
import { itemKey } from '../facts/fact.ts';
import { itemDir } from '../facts/owned.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody } from './operation.ts';

/** Shell functions that put account databases back. */
export const ACCOUNTS: Sh = {
  kind: 'sh',
  text: readFileSync(new URL('./accounts.sh', import.meta.url), 'utf8'),
};

/**
 * Copies of the databases and of the tools' backups of them (`passwd-`), since the lines of one account are restored
 * to their old place among the others. Password hashes stay below the root-only folder.
 */
function capture(save: Sh): Sh {
  return sh`d=${save}; mkdir -p "$d"
for f in passwd group shadow gshadow subuid subgid; do
  for e in "$f" "$f-"; do [ ! -e "/etc/$e" ] || cp -a "/etc/$e" "$d/$e"; done
done`;
}

/** Groups, and the primary group of the users that have them. */
export const groupCustody: Custody = {
  fact: 'group',
  capture: (_name, save) => capture(save),
  library: ACCOUNTS,
  restore: (items) => lines(...items.map(({ key, save }) => sh`doaas_restore_group ${key} ${save}`)),
};

/**
 * A user's lines and memberships. What the engine made with the user goes: its own group, and its home folder when
 * that holds nothing else. Everything else in a home folder stays.
 */
export const userCustody: Custody = {
  fact: 'user',
  capture: (_name, save) => capture(save),
  library: ACCOUNTS,
  restore: (items) =>
    lines(
      ...items.map(({ key, save }) => sh`doaas_restore_user ${key} ${save} ${itemDir(itemKey('user', key))}`),
    ),
};
