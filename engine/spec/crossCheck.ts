import { isPlanned, kindOf } from '../kinds/registry.ts';
import { checkCycles } from './checks/cycles.ts';
import { checkNames } from './checks/names.ts';
import { checkReferences } from './checks/references.ts';
import { checkRollout } from './checks/rollout.ts';
import { checkSecrets } from './checks/secrets.ts';
import { checkServer } from './checks/server.ts';
import { checkTargets } from './checks/targets.ts';
import { checkVariableNames } from './checks/variables.ts';
import { isServer } from './documents.ts';
import type { BrokenDocument } from './load.ts';
import type { Manifest, SpecError } from './manifest.ts';

/** All that a schema cannot say: about single documents first, then about documents together. */
export function crossCheck(manifest: Manifest, broken: readonly BrokenDocument[]): readonly SpecError[] {
  return [
    ...manifest.documents.filter(isServer).flatMap(checkServer),
    ...manifest.documents
      .filter(isPlanned)
      .flatMap((document) => [
        ...kindOf(document).check(document, { manifest, broken }),
        ...checkRollout(document, manifest),
      ]),
    ...checkNames(manifest),
    ...checkReferences(manifest, broken),
    ...checkTargets(manifest, broken),
    ...checkCycles(manifest),
    ...checkVariableNames(manifest, broken),
    ...checkSecrets(manifest),
  ];
}
