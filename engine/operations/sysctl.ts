import { procPath, sysctlFile } from '../facts/sysctl.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';
import { PATH_FUNCTIONS, pathCustody } from './path.ts';

/** `value` with white space as single blanks. */
export type SetSysctl = { readonly key: string; readonly value: string };

function fileText(p: SetSysctl): string {
  return `# Written by DOaaS.\n${p.key} = ${p.value}\n`;
}

/** Now, in the running kernel, and at every boot. A value that the kernel refuses or changes fails the step. */
export const setSysctl: Operation<SetSysctl> = {
  operation: 'sysctl.set',
  items: (p) => [`sysctl:${p.key}`],
  check: (p) =>
    sh`[ "$(tr -s ' \t' '  ' < ${procPath(p.key)} | sed -n '1{s/^ //;s/ $//;p}')" = ${p.value} ] && printf %s ${fileText(p)} | cmp -s - ${sysctlFile(p.key)}`,
  apply: (p) => sh`f=${sysctlFile(p.key)}; d=$(dirname "$f"); t="$d/.doaas.write"
(umask 022; mkdir -p -- "$d")
rm -f -- "$t"; printf %s ${fileText(p)} > "$t"; chmod 0644 "$t"; sync "$t"; mv -fT -- "$t" "$f"; sync "$d"
printf '%s\n' ${p.value} > ${procPath(p.key)}`,
};

export const sysctlCustody: Custody = {
  fact: 'sysctl',
  library: PATH_FUNCTIONS,
  capture: (key, save) =>
    lines(
      sh`mkdir -p ${save}; cat ${procPath(key)} > ${save}/runtime`,
      pathCustody.capture(sysctlFile(key), sh`${save}/file`),
    ),
  restore: (items) => lines(...items.map(({ key, save }) => restoreOne(key, save))),
};

/** Written only where it differs: some settings act on every write. */
function restoreOne(key: string, save: Sh): Sh {
  return lines(
    pathCustody.restore([{ key: sysctlFile(key), save: sh`${save}/file` }]),
    sh`if [ -s ${save}/runtime ] && ! cmp -s ${save}/runtime ${procPath(key)}; then cat ${save}/runtime > ${procPath(key)}; fi`,
  );
}
