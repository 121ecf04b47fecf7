import type { PullRef, RepositoryRef } from '../activities/types.ts';

/** The name under which the engine keeps what belongs to a repository; a rename does not change it. */
export function recordName({ owner, name, knownAs }: Omit<RepositoryRef, 'installationId'>): string {
  return knownAs ?? `${owner}/${name}`;
}

/** One workflow a pull request, whatever delivered its events. */
export function pullWorkflowId({ repository, number }: PullRef): string {
  return `pull-request:${recordName(repository)}#${number}`.toLowerCase();
}

/** Of the run of a pull request; workflows/pullRequest.ts and workflows/pullRollback.ts name them the same way. */
export function runWorkflowId(kind: 'apply' | 'rollback', run: string, headSha: string): string {
  return kind === 'rollback' ? `rollback:${run}` : `deployment:${run}:${headSha.slice(0, 12)}`;
}

/** One workflow a branch: Temporal takes the signals of one workflow one after the other. */
export function repositoryWorkflowId(repository: RepositoryRef, branch: string): string {
  return `repository:${recordName(repository)}`.toLowerCase().concat(':', branch);
}
