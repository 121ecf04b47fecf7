import { addRepository } from './aptRepository.ts';
import { writeKeys } from './authorizedKeys.ts';
import { writeConfig } from './config.ts';
import { setFirewall } from './firewall.ts';
import { removeGroup, setGroup } from './group.ts';
import { closeHomes } from './homes.ts';
import { setHostsEntry } from './hostsEntry.ts';
import { writeLocale } from './locale.ts';
import { auditWithLynis } from './lynis.ts';
import { setMode } from './mode.ts';
import type { Operation, Params } from './operation.ts';
import { installPackages, removePackages } from './packages.ts';
import { setPamProfile } from './pamProfile.ts';
import { rebootHost, restartPatched, upgradePatches } from './patches.ts';
import { makeDirectory, makeLink, removePath, writeFile } from './path.ts';
import { forgetItem, releaseItem } from './release.ts';
import { setSysctl } from './sysctl.ts';
import { setTimezone } from './timezone.ts';
import { reloadUnit, removeUnit, restartUnit, setUnit } from './units.ts';
import { removeUser, setUser } from './user.ts';
import { runScript } from './userScript.ts';

/**
 * Every operation, by name. An operation is only ever called with the params that its own step carries, so the
 * params' type is erased here and nowhere else.
 */
const all = [
  removePackages,
  installPackages,
  addRepository,
  writeFile,
  makeDirectory,
  makeLink,
  removePath,
  releaseItem,
  forgetItem,
  removeGroup,
  setGroup,
  removeUser,
  setUser,
  writeKeys,
  setSysctl,
  setHostsEntry,
  setTimezone,
  writeLocale,
  runScript,
  setFirewall,
  setUnit,
  removeUnit,
  reloadUnit,
  restartUnit,
  writeConfig,
  setMode,
  closeHomes,
  setPamProfile,
  auditWithLynis,
  upgradePatches,
  restartPatched,
  rebootHost,
] as readonly {
  readonly operation: string;
}[] as readonly Operation<Params>[];

export const operations: Readonly<Record<string, Operation<Params>>> = Object.freeze(
  Object.fromEntries(all.map((operation) => [operation.operation, operation])),
);

export function operationNamed(name: string): Operation<Params> {
  const operation = operations[name];
  if (operation === undefined)
    throw new Error(`no operation is named ${name}; register it in engine/operations/registry.ts`);
  return operation;
}
