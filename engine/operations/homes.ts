import { lines, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';

/** Home folders that lose what others may do in them. */
export type CloseHomes = { readonly paths: readonly string[] };

/** A folder that became a link meanwhile is left alone. */
export const closeHomes: Operation<CloseHomes> = {
  operation: 'homes.close',
  items: () => ['homes:all'],
  check: (p) =>
    sh`for h in ${p.paths}; do [ -L "$h" ] || [ ! -d "$h" ] || case $(stat -c %a -- "$h") in *[2367]? | *[1-7]) exit 1 ;; esac; done`,
  apply: (p) => sh`for h in ${p.paths}; do [ -L "$h" ] || [ ! -d "$h" ] || chmod g-w,o= -- "$h"; done`,
};

export const homesCustody: Custody = {
  fact: 'homes',
  capture: (_, save) =>
    sh`mkdir -p ${save}; while IFS=: read -r _ _ u _ _ h _; do
  if [ "$u" -ge 1000 ] && [ -d "$h" ] && [ ! -L "$h" ] && [ "$h" != / ]; then stat -c '%a %n' -- "$h"; fi
done < /etc/passwd > ${save}/modes`,
  restore: (items) =>
    lines(
      ...items.map(
        ({ save }) =>
          sh`while read -r m h; do if [ -d "$h" ] && [ ! -L "$h" ]; then chmod -- "0$m" "$h"; fi; done < ${save}/modes`,
      ),
    ),
};
