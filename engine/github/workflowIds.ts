import type { PullRef, RepositoryRef } from '../activities/types.ts';

/** One workflow a pull request, whatever delivered its events. */
export function pullWorkflowId({ repository, number }: PullRef): string {
  return `pull-request:${repository.owner}/${repository.name}#${number}`.toLowerCase();
}

/** One workflow a branch: Temporal takes the signals of one workflow one after the other. */
export function repositoryWorkflowId({ owner, name }: RepositoryRef, branch: string): string {
  return `repository:${owner}/${name}`.toLowerCase().concat(':', branch);
}
