import type { PullRef, RepositoryRef } from '../activities/types.ts';

/** One workflow a pull request, whatever delivered its events. */
export function pullWorkflowId({ repository, number }: PullRef): string {
  return `pull-request:${repository.owner}/${repository.name}#${number}`.toLowerCase();
}

export function repositoryWorkflowId({ owner, name }: RepositoryRef): string {
  return `repository:${owner}/${name}`.toLowerCase();
}
