import {
  type ConfigurationDocument,
  isConfiguration,
  type PlannedDocument,
  type ServerDocument,
  targetsServer,
} from '../../spec/documents.ts';
import { resolveProbes } from '../../spec/probes.ts';
import type { Resolving, ResolvingHost } from '../../spec/resolving.ts';
import type { PatchRules, ResolvedPatchPolicy } from './spec.ts';

/** The same on all hosts, but for packages whose version a Configuration of the host says. */
export function preparePatchPolicy(
  { spec }: PlannedDocument<'PatchPolicy'>,
  { manifest }: Pick<Resolving, 'manifest'>,
): (host: Pick<ResolvingHost, 'document'>) => ResolvedPatchPolicy {
  const configurations = manifest.documents.filter(isConfiguration);
  const rules: Omit<PatchRules, 'pinned'> = {
    which: spec.updates ?? 'security',
    securityOrigins: spec.securityOrigins ?? [],
    exclude: spec.exclude ?? [],
    conffiles: spec.conffiles ?? 'keep',
    restart: spec.restart ?? 'needed',
    restartNever: spec.restartNever ?? [],
    reboot: spec.reboot ?? 'never',
  };
  const probes = resolveProbes(spec.probes);
  const holds = spec.holds ?? [];
  return ({ document }) => ({
    updates: { ...rules, pinned: pinnedOn(document, configurations) },
    holds,
    probes,
  });
}

/** Two documents that each want another version of a package would undo each other for ever. */
function pinnedOn(
  server: ServerDocument,
  configurations: readonly ConfigurationDocument[],
): PatchRules['pinned'] {
  return configurations
    .filter(({ spec }) => targetsServer(spec.targets, server))
    .flatMap(({ ref, spec }) =>
      Object.entries(spec.packages ?? {})
        .filter(([, wanted]) => wanted.version !== undefined || wanted.hold === true)
        .map(([name]) => ({ name: name.replace(/:.*$/, ''), by: ref })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
