import type { Sh } from '../shell/sh.ts';
import { informational } from './accounts.ts';
import type { Fact } from './fact.ts';
import { quietly } from './quietly.ts';

export interface SystemQuery {
  readonly fact: 'system';
  readonly key: 'all';
}

/** What the machine is, for people who see it for the first time. Informational: never part of a plan's digest. */
export interface SystemState {
  readonly present: true;
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly os: string;
  /** `debian`, as in os-release(5). */
  readonly osId: string;
  readonly osVersion: string;
  readonly kernel: string;
  readonly cpus: number;
  /** KiB. */
  readonly memory: number;
  /** Size of the file system of `/`, KiB. */
  readonly disk: number;
  /** Name of process 1, such as `systemd`. */
  readonly init: string;
  /** As systemd-detect-virt(1) says, `none` on bare metal, `unknown` without that tool. */
  readonly virtualization: string;
}

/** Four processes. os-release is never sourced: values are unquoted with parameter expansion. */
const READ: Sh = {
  kind: 'sh',
  text: `doaas_unquote() { v=$1; case "$v" in \\"*\\") v="\${v#?}"; v="\${v%?}" ;; \\'*\\') v="\${v#?}"; v="\${v%?}" ;; esac; }
if [ -r /etc/os-release ]; then while IFS='=' read -r k v; do case "$k" in
  PRETTY_NAME) doaas_unquote "$v"; echo "~ os $v" ;; ID) doaas_unquote "$v"; echo "~ os-id $v" ;;
  VERSION_ID) doaas_unquote "$v"; echo "~ os-version $v" ;;
esac; done < /etc/os-release; fi
if read -r v < /proc/sys/kernel/osrelease; then echo "~ kernel $v"; fi
if read -r v < /proc/1/comm; then echo "~ init $v"; fi
echo "~ cpus $(nproc)"
while read -r k v _; do case "$k" in MemTotal:) echo "~ memory $v" ;; esac; done < /proc/meminfo
echo "~ disk $(df -kP / | { read -r _; read -r _ v _; echo "$v"; })"
v=$(systemd-detect-virt 2>/dev/null) || :; echo "~ virtualization \${v:-unknown}"`,
};

export const systemFact: Fact<SystemQuery, SystemState> = {
  fact: 'system',
  read: (queries) => quietly(queries, READ),
  parse: (output) => {
    const text = (name: string) => informational(output, name) ?? 'unknown';
    const number = (name: string) => Number(/^\d+$/.exec(informational(output, name) ?? '')?.[0] ?? '0');
    return {
      present: true,
      os: text('os'),
      osId: text('os-id'),
      osVersion: text('os-version'),
      kernel: text('kernel'),
      cpus: number('cpus'),
      memory: number('memory'),
      disk: number('disk'),
      init: text('init'),
      virtualization: text('virtualization'),
    };
  },
};
