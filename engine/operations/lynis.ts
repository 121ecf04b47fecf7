import { LYNIS_DIR } from '../facts/lynis.ts';
import { lines, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';

export type AuditWithLynis = { readonly when: 'before' | 'after' };

/**
 * Lynis looks at the whole host, and its index is noted. Its log and report go to the run's own folder, so it leaves nothing
 * elsewhere. A witness decides nothing: without an index the run goes on.
 */
export const auditWithLynis: Operation<AuditWithLynis> = {
  operation: 'lynis.audit',
  items: () => ['lynis:all'],
  // the audit after the change is of the same item
  changesOtherItems: true,
  // measured: 30 s on an idle core
  timeoutSeconds: 900,
  check: () => sh`[ -e "$STEP/audited" ]`,
  apply: ({ when }) => sh`if [ -e "$STEP/audited" ]; then exit 0; fi
d=${LYNIS_DIR}; mkdir -p "$d"; rm -f "$d"/after
lynis audit system --quick --no-colors --logfile "$STEP/lynis.log" --report-file "$STEP/report.dat" < /dev/null > "$STEP/lynis.out" 2>&1 || :
of() { sed -n "s/^$1=//p" "$STEP/report.dat" 2>/dev/null | tail -n 1 | tr -cd '0-9A-Za-z.-' | head -c 20; }
index=$(of hardening_index)
case $index in [0-9] | [0-9][0-9] | 100) ;; *) index=-; tail -n 5 "$STEP/lynis.out" ;; esac
echo "$index $(of lynis_version)" > "$d/new"; mv -f "$d/new" "$d/"${when}
if [ -e "$STEP/report.dat" ]; then cp "$STEP/report.dat" "$d/report.dat"; fi
: > "$STEP/audited"`,
};

export const lynisCustody: Custody = {
  fact: 'lynis',
  capture: (_, save) =>
    sh`mkdir -p ${save}; if [ -d ${LYNIS_DIR} ]; then cp -a ${LYNIS_DIR} ${save}/lynis; fi`,
  restore: (items) =>
    lines(
      ...items.map(
        ({ save }) =>
          sh`rm -rf ${LYNIS_DIR}; if [ -d ${save}/lynis ]; then cp -a ${save}/lynis ${LYNIS_DIR}; fi`,
      ),
    ),
};
