import { log } from '@temporalio/workflow';
import { bounded, short } from './activities.ts';
import { causeOf } from './cause.ts';

/** Makes up for webhooks that never came, and keeps a drift schedule for every repository. */
export async function sweep(): Promise<void> {
  const repositories = await short.knownRepositories();
  await short.scheduleDrift(repositories);
  await redeliverMissed();
  for (const repository of repositories) {
    try {
      await short.sweepPulls(repository);
    } catch (error) {
      log.warn('a repository could not be swept', { name: repository.name, reason: causeOf(error) });
    }
  }
}

/** What the pull requests say is found without it. */
async function redeliverMissed(): Promise<void> {
  try {
    await bounded.redeliverMissed();
  } catch (error) {
    log.warn('webhooks could not be asked for again; the next sweep tries', { reason: causeOf(error) });
  }
}
