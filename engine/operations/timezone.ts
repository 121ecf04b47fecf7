import { ZONEINFO } from '../facts/timezone.ts';
import { lines, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';
import { PATH_FUNCTIONS, pathCustody } from './path.ts';

export type SetTimezone = { readonly zone: string };

const FILES = ['/etc/localtime', '/etc/timezone'] as const;

/** The link that libc reads and the name that Debian's tools read. */
export const setTimezone: Operation<SetTimezone> = {
  operation: 'timezone.set',
  items: () => ['timezone:all'],
  check: (p) =>
    sh`[ "$(readlink /etc/localtime)" = ${`${ZONEINFO}/${p.zone}`} ] && printf '%s\n' ${p.zone} | cmp -s - /etc/timezone`,
  apply: (
    p,
  ) => sh`z=${`${ZONEINFO}/${p.zone}`}; [ -f "$z" ] || { echo "$z does not exist; install tzdata or correct the name" >&2; exit 1; }
t=/etc/.doaas.write; rm -f "$t"; printf '%s\n' ${p.zone} > "$t"; chmod 0644 "$t"; sync "$t"; mv -fT "$t" /etc/timezone
rm -f "$t"; ln -s "$z" "$t"; mv -fT "$t" /etc/localtime; sync /etc`,
};

export const timezoneCustody: Custody = {
  fact: 'timezone',
  library: PATH_FUNCTIONS,
  capture: (_key, save) => lines(...FILES.map((file, i) => pathCustody.capture(file, sh`${save}/${i}`))),
  restore: (items) =>
    lines(
      ...items.map(({ save }) =>
        pathCustody.restore(FILES.map((file, i) => ({ key: file, save: sh`${save}/${i}` }))),
      ),
    ),
};
