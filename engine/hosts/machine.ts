import { type Sh, sh } from '../shell/sh.ts';
import type { Session } from './session.ts';

/** What a machine says about itself, for comments in its `Server` document. Untrusted text, one line each. */
export interface Machine {
  readonly kind: 'machine';
  readonly os: string;
  readonly cpus: string;
  readonly memory: string;
  readonly disk: string;
  readonly init: string;
}

const READ_TIMEOUT_SECONDS = 15;
const VALUE_MAX = 100;

/** Reads only; each value is one line `name=value`, empty where the machine does not say. */
const READ: Sh = sh`
os=$(. /etc/os-release 2>/dev/null && printf %s "$PRETTY_NAME")
echo "os=$os, kernel $(uname -r), $(uname -m)"
echo "cpus=$(nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo)"
echo "memory=$(awk '/^MemTotal:/ {printf "%.1f GiB", $2 / 1048576}' /proc/meminfo)"
echo "disk=$(df -kP / | awk 'NR == 2 {printf "%.1f GiB, %.1f GiB free", $2 / 1048576, $4 / 1048576}')"
echo "init=$(cat /proc/1/comm)"`;

export async function readMachine(session: Session): Promise<Machine> {
  const result = await session.run(READ, { timeoutSeconds: READ_TIMEOUT_SECONDS, become: false });
  const value = (name: string): string => {
    const line = result.stdout.split('\n').find((candidate) => candidate.startsWith(`${name}=`)) ?? '';
    const text = line.slice(name.length + 1).replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');
    return text.slice(0, VALUE_MAX) || 'unknown';
  };
  return {
    kind: 'machine',
    os: value('os'),
    cpus: value('cpus'),
    memory: value('memory'),
    disk: value('disk'),
    init: value('init'),
  };
}
