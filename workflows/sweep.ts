import { log } from '@temporalio/workflow';
import { short } from './activities.ts';
import { causeOf } from './cause.ts';

/** Makes up for webhooks that never came, and keeps a drift schedule for every repository. */
export async function sweep(): Promise<void> {
  const repositories = await short.knownRepositories();
  await short.scheduleDrift(repositories);
  await short.redeliverMissed();
  for (const repository of repositories) {
    try {
      await short.sweepPulls(repository);
    } catch (error) {
      log.warn('a repository could not be swept', { name: repository.name, reason: causeOf(error) });
    }
  }
}
