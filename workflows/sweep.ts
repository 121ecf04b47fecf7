import { log, patched } from '@temporalio/workflow';
import { bounded, short } from './activities.ts';
import { causeOf, typeOf } from './cause.ts';

/** What went wrong with GitHub that its other repositories would meet too. */
const OF_ALL: ReadonlySet<string> = new Set(['github-rate-limited', 'github-unavailable']);

/** Ends what died without a word, makes up for webhooks that never came, and keeps a drift schedule for every repository. */
export async function sweep(): Promise<void> {
  // before all that waits for GitHub
  if (patched('dead-runs')) await endDeadRuns();
  const repositories = await short.knownRepositories();
  await short.scheduleDrift(repositories);
  await redeliverMissed();
  const silent = new Set<number>();
  for (const repository of repositories) {
    if (silent.has(repository.installationId)) continue;
    try {
      await bounded.sweepPulls(repository);
    } catch (error) {
      // a used-up limit is one of all of its repositories, and would keep those of others waiting for each
      if (OF_ALL.has(typeOf(error) ?? '')) silent.add(repository.installationId);
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
