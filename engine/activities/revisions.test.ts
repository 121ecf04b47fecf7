import { expect, test } from 'vitest';
import { createRevisions, type RevisionSource } from './revisions.ts';

const repository = { owner: 'acme', name: 'infra', installationId: 1 };
const file = (name: string): ReadonlyMap<string, Uint8Array> => {
  const server = `apiVersion: doaas/v1
kind: Server
metadata: {name: ${name}}
spec: {address: 10.0.0.1, user: root, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKc8yhbPcZ8lUVrL6vOVdDEsSKxgPQCXWqyHW1LkvE0i"}
`;
  return new Map([['servers.yaml', new TextEncoder().encode(server)]]);
};

/** Commits `one`, `two` ..., each with a tree of its own; a head merges to the tree that the next tip has. */
function sourceOf(read: string[]): RevisionSource {
  return {
    fetch: async () => undefined,
    treeOf: async (_, commit) => `tree of ${commit}`,
    mergedTree: async (_, { headSha }) => ({ kind: 'clean', treeSha: `tree of ${headSha} merged` }),
    changedPaths: async () => [],
    mergeBases: async () => [],
    read: async (_, treeish) => {
      read.push(treeish);
      return { files: file(treeish.includes('head') ? 'changed' : 'web-1'), refused: [] };
    },
  };
}

test('a base is read once, whether its policy, a plan on it, or the merge that made it came first', async () => {
  const read: string[] = [];
  const revisions = createRevisions(sourceOf(read));
  await revisions.resolveCommit(repository, 'main');
  const resolved = await revisions.resolve({ repository, number: 1 }, { headSha: 'head', baseSha: 'main' });
  expect(resolved).toMatchObject({ kind: 'resolved', dropped: ['web-1'], errors: [] });
  await revisions.resolve({ repository, number: 2 }, { headSha: 'next', baseSha: 'head merged' });
  await revisions.resolveCommit(repository, 'head merged');
  expect(read).toEqual(['tree of main', 'tree of head merged', 'tree of next merged']);
});
