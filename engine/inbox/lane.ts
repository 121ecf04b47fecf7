import type { EngineEvent } from '../github/events.ts';

/** Events of one lane keep their order: those of one pull request, and the pushes to one branch. */
export function laneOf(event: EngineEvent): string {
  if (event.kind === 'access-changed') return 'access';
  const repository = `${event.repo.owner}/${event.repo.name}`.toLowerCase();
  switch (event.kind) {
    case 'pull-request-changed':
    case 'pull-request-closed':
    case 'review-submitted':
    case 'comment-created':
    case 'issue-commented':
    case 'notice-changed':
      return `${repository}#${event.number}`;
    case 'check-action':
    case 'check-rerequested':
    case 'checks-completed':
      // nearly always one; a button is judged by its head and its time, so its place among the others matters little
      return `${repository}#${event.numbers[0] ?? ''}`;
    case 'merge-group-made':
      return `${repository}@${event.headSha}`;
    case 'branch-pushed':
      return `${repository}:${event.branch}`;
    case 'default-branch-changed':
      return `${repository}:${event.to}`;
  }
}
