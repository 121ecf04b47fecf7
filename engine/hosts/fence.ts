import { FENCES } from '../facts/owned.ts';
import { type Sh, sh } from '../shell/sh.ts';

/** A lock's number: who holds a host later has a higher one, in the same store. */
export interface Fence {
  /** Of the store that counts; engines with stores of their own do not know each other's locks. */
  readonly store: string;
  readonly number: number;
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
 * After `passFence`, and before an apply: what earlier locks of this store were for is over, because whoever applies has
 * undone before what dead runs left.
 */
export function beginUnder({ store, number }: Fence): Sh {
  return sh`(umask 077; echo ${number} > ${`${FENCES}/${store}.begun`})`;
}
