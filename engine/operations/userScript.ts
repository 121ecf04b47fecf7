import { CLEAN_SH, scriptDigest, scriptDir } from '../facts/userScript.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation, SavedItem } from './operation.ts';

export type RunScript = {
  readonly name: string;
  readonly check: string;
  readonly apply: string;
  readonly undo: string | null;
  readonly timeoutSeconds: number;
};

/** The longest script that the schema allows, an hour, and its check before and after. Seconds. */
const TIMEOUT_SECONDS_MAX = 3_900;

/**
 * The texts are written to files as they are and run with `sh -eu` in an empty environment. They stay on the host: a
 * later plan runs this check to see drift, and whoever undoes the run needs this undo.
 */
export const runScript: Operation<RunScript> = {
  operation: 'script.run',
  items: (p) => [`script:${p.name}`],
  timeoutSeconds: TIMEOUT_SECONDS_MAX,
  check: (p) =>
    sh`d=${scriptDir(p.name)}; [ "$(cat "$d/digest" 2>/dev/null)" = ${digestOf(p)} ] && ${CLEAN_SH} "$d/check"`,
  apply: (p) => sh`d=${scriptDir(p.name)}
${record(p)}
if ${CLEAN_SH} "$d/check" < /dev/null > /dev/null 2>&1; then echo 'nothing to do'; else
  printf '%s\n' "$RUN" > "$d/ran"; sync -f "$d"
  timeout -k 10 ${p.timeoutSeconds} ${CLEAN_SH} "$d/apply"
fi`,
};

export function digestOf(p: RunScript): string {
  return scriptDigest({ check: p.check, apply: p.apply, ...(p.undo === null ? {} : { undo: p.undo }) });
}

/** The digest comes last, so it never stands beside half of the texts. */
function record(p: RunScript): Sh {
  const undo = p.undo === null ? sh`rm -f "$d/undo"` : sh`printf %s ${p.undo} > "$d/undo"`;
  return sh`mkdir -p "$d"; rm -f "$d/digest"
printf %s ${p.check} > "$d/check"; printf %s ${p.apply} > "$d/apply"; ${undo}
echo ${p.timeoutSeconds} > "$d/timeout"; sync -f "$d"; echo ${digestOf(p)} > "$d/digest"; sync -f "$d"`;
}

/** Undo runs only where apply ran since the capture, which `ran` tells: it names the last run that started apply. */
export const userScriptCustody: Custody = {
  fact: 'script',
  capture: (name, save) =>
    sh`mkdir -p ${save}; if [ -d ${scriptDir(name)} ]; then cp -a ${scriptDir(name)} ${save}/script; fi`,
  restore: (items) => lines(...items.map(restoreOne)),
};

/** A release is no rollback: without an undo there is nothing to take back, and the script may still leave. */
function restoreOne({ key, save }: SavedItem): Sh {
  return sh`d=${scriptDir(key)}; s=${save}
if [ -e "$d/ran" ] && ! cmp -s "$d/ran" "$s/script/ran"; then
  if [ -e "$d/undo" ]; then timeout -k 10 "$(cat "$d/timeout")" ${CLEAN_SH} "$d/undo" < /dev/null
  else case "$s" in
    "$DIR"/*) echo "the script "${key}" ran and has no undo; put back by hand what it changed" >&2; exit 1 ;;
    *) echo "note: the script "${key}" has no undo; what it did stays" ;;
  esac; fi
fi
rm -rf "$d"; if [ -d "$s/script" ]; then mkdir -p "$(dirname "$d")"; cp -a "$s/script" "$d"; fi`;
}
