import { type UnpinnedServer, unpinnedServers } from './checks/server.ts';
import { type LoadOptions, loadManifest, sortErrors } from './load.ts';
import type { Manifest, SpecError } from './manifest.ts';
import { loadPolicy, type RepositoryPolicy } from './policy.ts';
import type { Resolution } from './resolution.ts';
import { resolveManifest } from './resolve.ts';

export interface CheckedRepository {
  readonly manifest: Manifest;
  readonly resolution: Resolution;
  readonly policy: RepositoryPolicy;
  /** All mistakes of the repository, by file and place; nothing may be planned while there is one. */
  readonly errors: readonly SpecError[];
  /** Mistakes as well, unless the policy that holds allows them; that need not be the one above. */
  readonly unpinned: readonly UnpinnedServer[];
}

/** Everything that can be said about a repository without asking a host. Takes what `loadManifest` takes. */
export function checkRepository(
  files: ReadonlyMap<string, Uint8Array>,
  options: LoadOptions = {},
): CheckedRepository {
  const { manifest, complete, errors } = loadManifest(files, options);
  const resolution = resolveManifest(manifest);
  // A value may be missing only because the document that sets it could not be read.
  const certain = resolution.errors.filter(({ code }) => complete || code !== 'variable-missing');
  const policy = loadPolicy(files, notRead(options));
  const all = sortErrors([...errors, ...certain, ...policy.errors]);
  return { manifest, resolution, policy, errors: all, unpinned: unpinnedServers(manifest) };
}

/** All mistakes, where the policy that holds is the repository's own: on the command line, and of the default branch. */
export function errorsByOwnPolicy({
  errors,
  unpinned,
  policy,
}: Pick<CheckedRepository, 'errors' | 'unpinned' | 'policy'>): readonly SpecError[] {
  if (policy.spec?.hostKeys === 'firstUse') return errors;
  return sortErrors([...errors, ...unpinned.map(({ error }) => error)]);
}

function notRead({ refused = [], links = new Set() }: LoadOptions) {
  const why = 'a symbolic link, which is never followed';
  return [...refused, ...[...links].map((path) => ({ path, why }))];
}
