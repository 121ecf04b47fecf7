import { aptRepositoryFact } from './aptRepository.ts';
import { authorizedKeysFact } from './authorizedKeys.ts';
import { changelogFact } from './changelog.ts';
import type { Fact, FactQuery } from './fact.ts';
import { firewallFact } from './firewall.ts';
import { groupFact } from './group.ts';
import { homesFact } from './homes.ts';
import { hostsEntryFact } from './hostsEntry.ts';
import { inventoryFact } from './inventory.ts';
import { localeFact } from './locale.ts';
import { lynisFact } from './lynis.ts';
import { machineFact } from './machine.ts';
import { modeFact } from './mode.ts';
import { ownedFact } from './owned.ts';
import { packageFact } from './package.ts';
import { pamProfileFact } from './pamProfile.ts';
import { pathFact } from './path.ts';
import type { Facts } from './script.ts';
import { sshdFact } from './sshd.ts';
import { surveyFact } from './survey.ts';
import { sysctlFact } from './sysctl.ts';
import { systemFact } from './system.ts';
import { timezoneFact } from './timezone.ts';
import { unitFact } from './unit.ts';
import { updatesFact } from './updates.ts';
import { userFact } from './user.ts';
import { userScriptFact } from './userScript.ts';

/** Every fact, by name. Each `parse` is only ever called with queries of its own fact. */
const all = [
  packageFact,
  aptRepositoryFact,
  pathFact,
  firewallFact,
  ownedFact,
  machineFact,
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
  modeFact,
  homesFact,
  pamProfileFact,
  sshdFact,
  surveyFact,
  lynisFact,
  updatesFact,
  inventoryFact,
  changelogFact,
] as readonly { readonly fact: string }[] as readonly Fact<FactQuery, unknown>[];

export const facts: Facts = Object.freeze(Object.fromEntries(all.map((fact) => [fact.fact, fact])));
