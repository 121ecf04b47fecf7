import { LOCALE_PATHS, type LocalePath } from '../facts/locale.ts';
import { lines, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';
import { PATH_FUNCTIONS, pathCustody } from './path.ts';

/** `text`: the whole file. */
export type WriteLocale = { readonly path: LocalePath; readonly text: string };

export const writeLocale: Operation<WriteLocale> = {
  operation: 'locale.write',
  items: () => ['locale:all'],
  check: (p) => sh`printf %s ${p.text} | cmp -s - ${p.path}`,
  apply: (p) => sh`f=${p.path}; d=$(dirname "$f"); t="$d/.doaas.write"; (umask 022; mkdir -p "$d")
rm -f "$t"; printf %s ${p.text} > "$t"; chmod 0644 "$t"; sync "$t"; mv -fT "$t" "$f"; sync "$d"`,
};

export const localeCustody: Custody = {
  fact: 'locale',
  library: PATH_FUNCTIONS,
  capture: (_key, save) =>
    lines(...LOCALE_PATHS.map((file, i) => pathCustody.capture(file, sh`${save}/${i}`))),
  restore: (items) =>
    lines(
      ...items.map(({ save }) =>
        pathCustody.restore(LOCALE_PATHS.map((file, i) => ({ key: file, save: sh`${save}/${i}` }))),
      ),
    ),
};
