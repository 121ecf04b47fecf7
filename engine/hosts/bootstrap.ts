import type { Sh } from '../shell/sh.ts';

/**
 * What every run starts on the host: a constant, so no data of ours or of a pull request stands on a command line.
 * The rest travels on standard input:
 *
 *     SCRIPT_BYTES PAYLOAD_BYTES\n  script  payload
 *
 * The shell first answers `doaas-ready SESSION START\n` (its POSIX session and its start time, for ending it later;
 * whatever a login shell prints before that is dropped), then takes exactly SCRIPT_BYTES with `head -c` and runs them
 * only when all arrived: a connection cut in the middle of a script never runs half of it. The payload is the script's
 * standard input; `$DOAAS_STDIN_BYTES` says how long it must be, so the script can tell a cut payload from a whole one.
 *
 * The session is field 6 of /proc/PID/stat and the start time field 22; counted after the name in parentheses, which
 * may hold spaces, they are 4 and 20. `$$`, `read` and the parameter expansions are builtins: one fork (head) a run. The single-quoted form works in any
 * login shell (sh, bash, zsh, fish, csh).
 */
const PRELUDE = `umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
unset ENV BASH_ENV CDPATH
read -r L </proc/$$/stat
L="\${L##*) }"
set -- $L
printf "doaas-ready %s %s\\n" "$4" "\${20}"
read -r N DOAAS_STDIN_BYTES || exit 125
S=$(head -c "$N"; echo .)
S=\${S%.}
[ "\${#S}" = "$N" ] || exit 125
export DOAAS_STDIN_BYTES
unset L N
set --
eval "$S"`.replaceAll('\n', '; ');

export const RUN_COMMAND = `exec /bin/sh -c '${PRELUDE}'`;
export const RUN_COMMAND_SUDO = `exec sudo -n -- /bin/sh -c '${PRELUDE}'`;

/** Longest text that a login shell may print before our line. */
const NOISE_MAX_BYTES = 64 * 1024;

export function frame(script: Sh, stdin: Uint8Array): Buffer {
  const text = Buffer.from(`${script.text}\n`);
  if (text.includes(0)) throw new Error('a script cannot contain a NUL byte');
  return Buffer.concat([Buffer.from(`${text.length} ${stdin.length}\n`), text, stdin]);
}

/** The remote processes of one run. */
export interface RemoteSession {
  /** POSIX session id. */
  readonly id: number;
  /** Clock ticks after boot at which the shell started. */
  readonly start: number;
}

export interface ReadyParser {
  /** Gives back what follows the ready line; empty until it came. */
  readonly push: (chunk: Buffer) => Buffer;
  readonly session: () => RemoteSession | undefined;
}

const EMPTY = Buffer.alloc(0);
const READY = /(?:^|\n)doaas-ready (\d{1,10}) (\d{1,20})\n/;

/** Finds the ready line at the start of stdout. Throws when only noise comes. */
export function readyParser(): ReadyParser {
  let held = EMPTY;
  let session: RemoteSession | undefined;
  const push = (chunk: Buffer): Buffer => {
    if (session !== undefined) return chunk;
    held = Buffer.concat([held, chunk]);
    const match = READY.exec(held.toString('latin1'));
    if (match === null) {
      if (held.length > NOISE_MAX_BYTES) throw new Error('the login shell prints without end');
      return EMPTY;
    }
    session = { id: Number(match[1]), start: Number(match[2]) };
    const rest = held.subarray(match.index + match[0].length);
    held = EMPTY;
    return rest;
  };
  return { push, session: () => session };
}
