import { HOMES_FUNCTIONS } from '../facts/homes.ts';
import { lines, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';

/** Home folders that lose what others may do in them. */
export type CloseHomes = { readonly paths: readonly string[] };

/** A folder that became a link meanwhile is left alone. */
export const closeHomes: Operation<CloseHomes> = {
  operation: 'homes.close',
  library: HOMES_FUNCTIONS,
  items: () => ['homes:all'],
  check: (p) =>
    sh`for h in ${p.paths}; do ! is_home "$h" || case $(stat -c %a -- "$h") in *[2367]? | *[1-7]) exit 1 ;; esac; done`,
  apply: (p) => sh`for h in ${p.paths}; do ! is_home "$h" || chmod g-w,o= -- "$h"; done`,
};

export const homesCustody: Custody = {
  fact: 'homes',
  library: HOMES_FUNCTIONS,
  capture: (_, save) =>
    sh`mkdir -p ${save}; while IFS=: read -r _ _ u _ _ h _; do
  if [ "$u" -ge 1000 ] && is_home "$h"; then stat -c '%a %n' -- "$h"; fi
done < /etc/passwd > ${save}/modes`,
  restore: (items) =>
    lines(
      ...items.map(
        ({ save }) =>
          sh`while read -r m h; do if is_home "$h"; then chmod -- "0$m" "$h"; fi; done < ${save}/modes`,
      ),
    ),
};
