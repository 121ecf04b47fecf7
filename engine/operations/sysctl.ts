import { procPath, sysctlFile } from '../facts/sysctl.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation, SavedItem } from './operation.ts';
import { PATH_FUNCTIONS, pathCustody } from './path.ts';

export type SetSysctl = {
  readonly key: string;
  /** White space as single blanks. */
  readonly value: string;
  /** Only from the next boot on, for a setting that the running kernel never takes back. */
  readonly atBoot?: true;
};

function fileText(p: SetSysctl): string {
  return `# Written by DOaaS.\n${p.key} = ${p.value}\n`;
}

/** Now, in the running kernel, and at every boot. A value that the kernel refuses or changes fails the step. */
export const setSysctl: Operation<SetSysctl> = {
  operation: 'sysctl.set',
  items: (p) => [`sysctl:${p.key}`],
  check: (p) => sh`${isInForce(p)} && printf %s ${fileText(p)} | cmp -s - ${sysctlFile(p.key)}`,
  apply: (p) => sh`f=${sysctlFile(p.key)}; d=$(dirname "$f"); t="$d/.doaas.write"
(umask 022; mkdir -p -- "$d")
rm -f -- "$t"; printf %s ${fileText(p)} > "$t"; chmod 0644 "$t"; sync "$t"; mv -fT -- "$t" "$f"; sync "$d"
${p.atBoot ? sh`:` : sh`printf '%s\n' ${p.value} > ${procPath(p.key)}`}`,
};

function isInForce({ key, value, atBoot }: SetSysctl): Sh {
  if (atBoot) return sh`:`;
  return sh`[ "$(tr -s ' \t' '  ' < ${procPath(key)} | sed -n '1{s/^ //;s/ $//;p}')" = ${value} ]`;
}

export const sysctlCustody: Custody = {
  fact: 'sysctl',
  library: PATH_FUNCTIONS,
  capture: (key, save) =>
    lines(
      sh`mkdir -p ${save}; cat ${procPath(key)} > ${save}/runtime`,
      pathCustody.capture(sysctlFile(key), sh`${save}/file`),
    ),
  restore: (items) => lines(...items.map(({ key, save }) => restoreOne(key, save))),
  concede: (items) => lines(...items.map(concedeOne)),
};

/** A running value that is not the one of our file is somebody else's, as that of a dockerd that turned forwarding on. */
function concedeOne({ key, save }: SavedItem): Sh {
  const [f, p] = [sysctlFile(key), procPath(key)];
  return sh`(if [ -f ${f} ] && [ -r ${p} ]; then
  now=$(tr -s ' \t' '  ' < ${p} | sed -n '1{s/^ //;s/ $//;p}')
  grep -Fqx -- ${`${key} = `}"$now" ${f} || cat ${p} > ${save}/runtime
fi)`;
}

/** Written only where it differs: some settings act on every write. What the kernel refuses is told, and seen by who compares. */
function restoreOne(key: string, save: Sh): Sh {
  return lines(
    pathCustody.restore([{ key: sysctlFile(key), save: sh`${save}/file` }]),
    sh`if [ -s ${save}/runtime ] && ! cmp -s ${save}/runtime ${procPath(key)}; then
  cat ${save}/runtime > ${procPath(key)} || echo ${`note: the kernel does not take ${key} back while it runs; reboot the host`}
fi`,
  );
}
