import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type FactQuery } from './fact.ts';

/** The frame of a fact of which a host has but one item: the same reading for each key, and no word about what is not there. */
export function quietly(queries: readonly FactQuery[], reading: Sh): Sh {
  return lines(
    ...queries.map(
      (q) => sh`echo ${`= ${encodeKey(q.key)}`}; { ${reading}
} 2>/dev/null`,
    ),
  );
}
