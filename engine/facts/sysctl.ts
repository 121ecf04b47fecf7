import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

export interface SysctlQuery {
  readonly fact: 'sysctl';
  /** Name as sysctl(8) prints it, such as `net.ipv4.ip_forward`. */
  readonly key: string;
}

export type SysctlState =
  /** The kernel of this host has no such setting, or does not let root read it. */
  | { readonly present: false }
  | {
      readonly present: true;
      /** White space as single blanks. */
      readonly runtime: string;
      /** What the engine's file for this key sets at boot. */
      readonly persisted?: string;
      readonly writable: boolean;
    };

/**
 * The engine's file for one key. `99-zz` sorts after Debian's 99-sysctl.conf: systemd-sysctl lets the last file win.
 */
export function sysctlFile(key: string): string {
  return `/etc/sysctl.d/99-zz-doaas-${key.replaceAll('/', '_')}.conf`;
}

/** `.` and `/` swap places: sysctl.d(5). Throws FactError on what would leave /proc/sys. */
export function procPath(key: string): string {
  const path = [...key].map((c) => (c === '.' ? '/' : c === '/' ? '.' : c)).join('');
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new FactError(`${key} is not the name of a kernel setting`);
  return `/proc/sys/${path}`;
}

/**
 * One process for all keys. (The shell's own `read` takes byte by byte, and the kernel answers only the first read of
 * such a file.) A value of several lines is not supported; its first line counts.
 */
const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_sysctl() ( # PROC_FILE CONF_FILE, with "PROC_FILE:VALUE" lines in V
  set -f
  case "$V" in *"
$1:"*) v="\${V#*"
$1:"}"; v="\${v%%"
"*}" ;; *) echo absent; exit 0 ;; esac
  p=$1; c=$2; set -- $v; echo "runtime $*"
  if [ -f "$c" ]; then while read -r k e v; do case "$e" in =) set -- $v; echo "persisted $*" ;; esac; done < "$c"; fi
  [ -w "$p" ] || echo '~ writable no'
) 2>/dev/null`,
};

export const sysctlFact: Fact<SysctlQuery, SysctlState> = {
  fact: 'sysctl',
  read: (queries) =>
    lines(
      FUNCTION,
      sh`V="
$(grep -Hs '' -- ${queries.map((q) => procPath(q.key))})"`,
      ...queries.map(
        (q) => sh`echo ${`= ${encodeKey(q.key)}`}; doaas_sysctl ${procPath(q.key)} ${sysctlFile(q.key)}`,
      ),
    ),
  parse: (output, query) => parseSysctl(output, query),
};

function parseSysctl(output: readonly string[], query: SysctlQuery): SysctlState {
  if (output[0] === 'absent') return { present: false };
  const runtime = /^runtime ?(.*)$/.exec(output[0] ?? '')?.[1];
  if (runtime === undefined)
    throw new FactError(
      `the host answered a state of the kernel setting ${query.key} that is not understood`,
    );
  const persisted = output.find((line) => line.startsWith('persisted '))?.slice('persisted '.length);
  return {
    present: true,
    runtime,
    ...(persisted === undefined ? {} : { persisted }),
    writable: !output.includes('~ writable no'),
  };
}
