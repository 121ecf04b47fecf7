import type { ItemKey } from '../facts/fact.ts';
import { recordName } from '../github/workflowIds.ts';
import { changedItems } from '../plan/changedItems.ts';
import { canonicalJson } from '../plan/digest.ts';
import type { RefusedPath } from '../repository/tree.ts';
import { type CheckedRepository, checkRepository } from '../spec/check.ts';
import type { UnpinnedServer } from '../spec/checks/server.ts';
import type { Manifest, SpecError } from '../spec/manifest.ts';
import type { RepositoryPolicy } from '../spec/policy.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import { createTrees } from './trees.ts';
import type { PullRef, RepositoryRef, Revision } from './types.ts';

/** What the merge of a head into a base wants of every host, beside what the base wants. */
export type ResolvedRevision =
  | { readonly kind: 'conflict'; readonly paths: readonly string[] }
  | {
      readonly kind: 'resolved';
      readonly treeSha: string;
      readonly documents: number;
      readonly errors: readonly SpecError[];
      /** Mistakes as well, unless the policy allows them (unpinned.ts). */
      readonly unpinned: readonly UnpinnedServer[];
      readonly refused: readonly RefusedPath[];
      readonly merged: Resolution;
      readonly base: Resolution;
      /** Hosts whose desired state the change touches, as the merge has them. */
      readonly changed: readonly ResolvedHost[];
      /** Hosts that the change takes out of the repository. */
      readonly dropped: readonly string[];
      readonly changedItems: (host: string) => ReadonlySet<ItemKey>;
    };

/** What of a revision is needed to plan its hosts, to change them and to look at them. */
export type DesiredHosts = Pick<
  Extract<ResolvedRevision, { kind: 'resolved' }>,
  'merged' | 'base' | 'changed' | 'changedItems'
> & {
  /** What differs by itself is what the run is about; left out: only what its change touches. */
  readonly isCorrection?: true;
};

/** The part of a git mirror that is needed here; see repository/. */
export interface RevisionSource {
  /** Makes sure that the commits are there. `number` names the pull request whose refs may hold them. */
  fetch(repository: RepositoryRef, commits: readonly string[], number: number | undefined): Promise<void>;
  mergedTree(
    repository: RepositoryRef,
    revision: Revision,
  ): Promise<
    | { readonly kind: 'clean'; readonly treeSha: string }
    | { readonly kind: 'conflict'; readonly paths: readonly string[] }
  >;
  treeOf(repository: RepositoryRef, commit: string): Promise<string>;
  /** Paths that differ between two commits or trees that are there. */
  changedPaths(repository: RepositoryRef, from: string, to: string): Promise<readonly string[]>;
  mergeBases(repository: RepositoryRef, revision: Revision): Promise<readonly string[]>;
  /** Files by path, and what was left out: links, submodules, what is too large. */
  read(
    repository: RepositoryRef,
    treeish: string,
  ): Promise<{ readonly files: ReadonlyMap<string, Uint8Array>; readonly refused: readonly RefusedPath[] }>;
}

export interface Revisions {
  resolve(pull: PullRef, revision: Revision): Promise<ResolvedRevision>;
  treeOf(pull: PullRef, commit: string): Promise<string>;
  /** The manifest at one commit or tree. */
  resolveTree(repository: RepositoryRef, treeish: string): Promise<ResolvedTree>;
  /** The same, and fetches the commit if it is not here. */
  resolveCommit(repository: RepositoryRef, commit: string): Promise<ResolvedTree>;
  /** The same with the files themselves, for those who change them; not kept. */
  readCommit(repository: RepositoryRef, commit: string): Promise<ResolvedTree & CommitFiles>;
  /** Files that the merge of the head changes in its base. */
  changedPaths(pull: PullRef, revision: Revision): Promise<readonly string[]>;
  /** Where the head left its base. */
  mergeBases(pull: PullRef, revision: Revision): Promise<readonly string[]>;
  /** Whether `earlier` is the commit itself, or in its history. */
  contains(repository: RepositoryRef, commit: string, earlier: string): Promise<boolean>;
}

export interface CommitFiles {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Where in them each value stands. */
  readonly manifest: Manifest;
}

export interface ResolvedTree {
  readonly documents: number;
  readonly errors: readonly SpecError[];
  readonly unpinned: readonly UnpinnedServer[];
  /** Paths that were left out, whether or not a document names them. */
  readonly refused: readonly RefusedPath[];
  readonly resolution: Resolution;
  readonly policy: RepositoryPolicy;
}

export function createRevisions(source: RevisionSource): Revisions {
  const trees = createTrees(weightOf);
  const resolveTree = (repository: RepositoryRef, treeish: string): Promise<ResolvedTree> =>
    trees.get(`${recordName(repository)} ${treeish}`, () => readTree(source, repository, treeish));
  return {
    resolveTree,
    resolveCommit: async (repository, commit) => {
      await source.fetch(repository, [commit], undefined);
      return resolveTree(repository, await source.treeOf(repository, commit));
    },
    readCommit: async (repository, commit) => {
      await source.fetch(repository, [commit], undefined);
      const { files, refused } = await source.read(repository, await source.treeOf(repository, commit));
      const whole = checkRepository(files, { refused });
      return { ...treeOf(whole, refused), files, manifest: whole.manifest };
    },
    treeOf: async ({ repository, number }, commit) => {
      await source.fetch(repository, [commit], number);
      return source.treeOf(repository, commit);
    },
    changedPaths: async ({ repository, number }, revision) => {
      await source.fetch(repository, [revision.headSha, revision.baseSha], number);
      const tree = await source.mergedTree(repository, revision);
      return tree.kind === 'conflict' ? [] : source.changedPaths(repository, revision.baseSha, tree.treeSha);
    },
    mergeBases: async ({ repository, number }, revision) => {
      await source.fetch(repository, [revision.headSha, revision.baseSha], number);
      return source.mergeBases(repository, revision);
    },
    contains: async (repository, commit, earlier) => {
      await source.fetch(repository, [commit, earlier], undefined);
      const bases = await source.mergeBases(repository, { headSha: commit, baseSha: earlier });
      return bases.includes(earlier);
    },
    resolve: async ({ repository, number }, revision) => {
      await source.fetch(repository, [revision.headSha, revision.baseSha], number);
      const tree = await source.mergedTree(repository, revision);
      if (tree.kind === 'conflict') return tree;
      // by its tree: it is known as a merge, or by who asked for the policy
      const baseTree = await source.treeOf(repository, revision.baseSha);
      const [merged, base] = await Promise.all([
        resolveTree(repository, tree.treeSha),
        resolveTree(repository, baseTree),
      ]);
      return compare(tree.treeSha, merged, base);
    },
  };
}

/** What one document takes for one host, beside its contents; measured in the order of magnitude. Bytes. */
const DOCUMENT_BYTES = 8 * 1024;

function weightOf({ resolution }: ResolvedTree): number {
  const contents = [...resolution.payloads.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const documents = resolution.hosts.reduce((sum, host) => sum + host.documents.length, 0);
  return contents + documents * DOCUMENT_BYTES;
}

async function readTree(
  source: RevisionSource,
  repository: RepositoryRef,
  treeish: string,
): Promise<ResolvedTree> {
  const { files, refused } = await source.read(repository, treeish);
  return treeOf(checkRepository(files, { refused }), refused);
}

function treeOf(checked: CheckedRepository, refused: readonly RefusedPath[]): ResolvedTree {
  const { manifest, errors, unpinned, resolution, policy } = checked;
  return { documents: manifest.documents.length, errors, unpinned, refused, resolution, policy };
}

/** Holds both trees for as long as it is used, so that others who want them find them. */
function compare(treeSha: string, merged: ResolvedTree, base: ResolvedTree): ResolvedRevision {
  const before = new Map(base.resolution.hosts.map((host) => [host.name, canonicalHost(host)]));
  const { hosts } = merged.resolution;
  return {
    kind: 'resolved',
    treeSha,
    documents: merged.documents,
    errors: merged.errors,
    unpinned: merged.unpinned,
    refused: merged.refused,
    merged: merged.resolution,
    base: base.resolution,
    changed: hosts.filter((host) => before.get(host.name) !== canonicalHost(host)),
    dropped: base.resolution.hosts
      .map((host) => host.name)
      .filter((name) => !hosts.some((host) => host.name === name)),
    changedItems: (host) => changedItems(base.resolution, merged.resolution, host),
  };
}

/** Positions and document names are no part of the desired state: renaming or moving a document plans nothing. */
function canonicalHost(host: ResolvedHost): string {
  const documents = host.documents.map(({ kind, wave, onRemoval, spec }) =>
    canonicalJson({ kind, wave, onRemoval, spec }),
  );
  return canonicalJson({ name: host.name, server: host.server, documents: documents.sort() });
}
