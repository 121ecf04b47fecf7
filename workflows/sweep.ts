import { log, patched } from '@temporalio/workflow';
import { bounded, short } from './activities.ts';
import { causeOf } from './cause.ts';

/** Ends what died without a word, makes up for webhooks that never came, and keeps a drift schedule for every repository. */
export async function sweep(): Promise<void> {
  // before all that waits for GitHub
  if (patched('dead-runs')) await endDeadRuns();
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

async function endDeadRuns(): Promise<void> {
  try {
    await bounded.endDeadRuns();
  } catch (error) {
    log.warn('dead runs could not be looked for; the next sweep tries', { reason: causeOf(error) });
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
