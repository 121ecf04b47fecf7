import type { Custody } from './operation.ts';
import { pathCustody } from './path.ts';

/** How each fact's items are saved and put back. */
const custodies: Readonly<Record<string, Custody>> = Object.freeze(
  Object.fromEntries([pathCustody].map((custody) => [custody.fact, custody])),
);

export function custodyOf(fact: string): Custody {
  const custody = custodies[fact];
  if (custody === undefined)
    throw new Error(`no custody is known for ${fact} items; register it in engine/operations/custodies.ts`);
  return custody;
}
