import { lines, type Sh, sh } from '../shell/sh.ts';
import type { RemoteSession } from './bootstrap.ts';

/** Of `sleep 0.2`; looking costs time too, so a grace is a little longer on a loaded host. */
const POLLS_PER_SECOND = 5;

/** Kept apart from values, because `${` in a template would be ours, not the shell's. Needs $sid, $start and $tries. */
const END_SESSION: Sh = {
  kind: 'sh',
  text: `
# field PID N: the Nth field of stat, counted after the name in parentheses (1 = state, 4 = session, 20 = start time).
field() {
  read -r line 2>/dev/null <"/proc/$1/stat" || return 1
  set -- "$2" \${line##*) }
  shift "$1"
  printf %s "$1"
}
members() {
  for dir in /proc/[0-9]*; do
    read -r line 2>/dev/null <"$dir/stat" || continue
    set -- \${line##*) }
    if [ "$4" = "$sid" ] && [ "$1" != Z ]; then printf '%s ' "\${dir#/proc/}"; fi
  done
}
end() { for pid in $(members); do kill "-$1" "$pid" 2>/dev/null; done; }

[ "$sid" -gt 1 ] || { echo 0; exit; }
[ "$(field $$ 4)" != "$sid" ] || { echo 0; exit; }
leader=$(field "$sid" 20) && [ "$leader" -gt "$start" ] && { echo 0; exit; }
end TERM
while [ "$tries" -gt 0 ] && [ -n "$(members)" ]; do sleep 0.2; tries=$((tries-1)); done
# A process may fork while the list is read, so ask until nothing is left.
tries=10
while [ "$tries" -gt 0 ] && [ -n "$(members)" ]; do end KILL; sleep 0.2; tries=$((tries-1)); done
members | wc -w`,
};

/**
 * Ends every process of a session: TERM, then KILL after the grace. Prints how many are left.
 * Does nothing when the session's leader is younger than the run (its number was given to somebody else), and never
 * touches its own session (an sshd that makes no session per command).
 */
export function endSessionScript(session: RemoteSession, graceSeconds: number): Sh {
  return lines(
    sh`sid=${session.id}; start=${session.start}; tries=${graceSeconds * POLLS_PER_SECOND}`,
    END_SESSION,
  );
}
