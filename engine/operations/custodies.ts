import { groupCustody, userCustody } from './accounts.ts';
import { aptRepositoryCustody } from './aptRepository.ts';
import { authorizedKeysCustody } from './authorizedKeys.ts';
import { firewallCustody } from './firewall.ts';
import { homesCustody } from './homes.ts';
import { hostsEntryCustody } from './hostsEntry.ts';
import { localeCustody } from './locale.ts';
import { lynisCustody } from './lynis.ts';
import { modeCustody } from './mode.ts';
import type { Custody } from './operation.ts';
import { packageCustody } from './packages.ts';
import { pamProfileCustody } from './pamProfile.ts';
import { updatesCustody } from './patches.ts';
import { pathCustody } from './path.ts';
import { sysctlCustody } from './sysctl.ts';
import { timezoneCustody } from './timezone.ts';
import { unitCustody } from './units.ts';
import { userScriptCustody } from './userScript.ts';

/** How each fact's items are saved and put back. */
const custodies: Readonly<Record<string, Custody>> = Object.freeze(
  Object.fromEntries(
    [
      packageCustody,
      firewallCustody,
      aptRepositoryCustody,
      pathCustody,
      groupCustody,
      userCustody,
      authorizedKeysCustody,
      sysctlCustody,
      hostsEntryCustody,
      timezoneCustody,
      localeCustody,
      userScriptCustody,
      unitCustody,
      modeCustody,
      homesCustody,
      pamProfileCustody,
      lynisCustody,
      updatesCustody,
    ].map((custody) => [custody.fact, custody]),
  ),
);

/** Whether items of this fact can be saved and put back at all. */
export function hasCustody(fact: string): boolean {
  return Object.hasOwn(custodies, fact);
}

export function custodyOf(fact: string): Custody {
  const custody = hasCustody(fact) ? custodies[fact] : undefined;
  if (custody === undefined)
    throw new Error(`no custody is known for ${fact} items; register it in engine/operations/custodies.ts`);
  return custody;
}
