import { aptRepositoryFact } from './aptRepository.ts';
import { authorizedKeysFact } from './authorizedKeys.ts';
import type { Fact, FactQuery } from './fact.ts';
import { firewallFact } from './firewall.ts';
import { groupFact } from './group.ts';
import { hostsEntryFact } from './hostsEntry.ts';
import { localeFact } from './locale.ts';
import { ownedFact } from './owned.ts';
import { packageFact } from './package.ts';
import { pathFact } from './path.ts';
import type { Facts } from './script.ts';
import { sysctlFact } from './sysctl.ts';
import { systemFact } from './system.ts';
import { timezoneFact } from './timezone.ts';
import { unitFact } from './unit.ts';
import { userFact } from './user.ts';
import { userScriptFact } from './userScript.ts';

/** Every fact, by name. Each `parse` is only ever called with queries of its own fact. */
const all = [
  packageFact,
  aptRepositoryFact,
  pathFact,
  firewallFact,
  ownedFact,
  authorizedKeysFact,
  groupFact,
  hostsEntryFact,
  localeFact,
  sysctlFact,
  systemFact,
  timezoneFact,
  unitFact,
  userFact,
  userScriptFact,
] as readonly { readonly fact: string }[] as readonly Fact<FactQuery, unknown>[];

export const facts: Facts = Object.freeze(Object.fromEntries(all.map((fact) => [fact.fact, fact])));
