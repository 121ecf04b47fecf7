import { FENCES } from '../facts/owned.ts';
import { type Sh, sh } from '../shell/sh.ts';

/** A lock's number: who holds a host later has a higher one, in the same store. */
export interface Fence {
  /** Of the store that counts; engines with stores of their own do not know each other's locks. */
  readonly store: string;
  readonly number: number;
}

/** A later holder of the host's lock has been there; nothing was begun. */
export class FencedError extends Error {
  readonly type = 'fenced';
}

/**
 * The host keeps the highest number that it was shown by each store, and ends the script with `@ fenced SEEN SHOWN` for a
 * lower one: a worker that was cut off and comes back late may not touch what somebody else holds by now. On return the
 * lock on descriptor 9 is held, to be let go with `exec 9>&-` once the effect is started.
 */
export function passFence({ store, number }: Fence): Sh {
  if (!/^[0-9]{1,20}$/.test(store)) throw new Error(`not the id of a store: ${store}`);
  return sh`(umask 077; mkdir -p ${FENCES}) || exit 1; exec 9>> ${`${FENCES}/lock`}; flock 9 || exit 1
F=${`${FENCES}/${store}`}; N=${number}; O=$(cat "$F" 2>/dev/null || echo 0)
[ "$N" -ge "$O" ] || { printf '@ fenced %s %s\n' "$O" "$N"; exit 0; }
[ "$N" -eq "$O" ] || { (umask 077; echo "$N" > "$F.new") && sync "$F.new" && mv -f "$F.new" "$F" && sync ${FENCES} || exit 1; }`;
}

/**
 * Shows the number while the host is only read: ends the script like `passFence` where it is refused. A host that
 * cannot keep it (a full disk) is read all the same; no batch begins there before it was kept.
 */
export function showFence(fence: Fence): Sh {
  return sh`doaas_fenced=$( {
${passFence(fence)}
} 2> /dev/null ) || doaas_fenced=
[ -z "$doaas_fenced" ] || { printf '%s\n' "$doaas_fenced"; exit 0; }`;
}

/** Shows the number where nothing will be done, so that a refusal does not matter. */
export function leaveFence(fence: Fence): Sh {
  return sh`(
${passFence(fence)}
) > /dev/null 2>&1 || :`;
}

/** What the host answered to a number that is too low. */
export function refusalIn(stdout: string): { readonly seen: string; readonly shown: string } | undefined {
  const [, seen, shown] = /^@ fenced (\d+) (\d+)$/m.exec(stdout) ?? [];
  return seen === undefined || shown === undefined ? undefined : { seen, shown };
}

/**
 * After `passFence`, and before an apply: what earlier locks of this store were for is over, because whoever applies has
 * undone before what dead runs left.
 */
export function beginUnder({ store, number }: Fence): Sh {
  return sh`(umask 077; echo ${number} > ${`${FENCES}/${store}.begun`})`;
}
