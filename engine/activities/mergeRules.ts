import type { GitHubClient } from '../github/client.ts';
import { type MergeSettings, mergeSettings } from '../github/mergeSettings.ts';
import type { PullRequest } from '../github/pulls.ts';
import { recordName } from '../github/workflowIds.ts';
import { unmergeable } from '../policy/unmergeable.ts';
import type { PolicySpec } from '../spec/types.generated.ts';
import { recent } from './recent.ts';
import type { RepositoryRef } from './types.ts';

/** What allows a merge is taken to hold for this long; what does not is asked for each time. Milliseconds. */
const SETTINGS_KEPT_MS = 300_000;

const known = recent<{ readonly settings: MergeSettings; readonly at: number }>();

/** Before anything is changed: what GitHub would refuse the merge for. Where people merge, it tells them itself. */
export async function mergeObstacles(
  client: GitHubClient,
  repository: RepositoryRef,
  snapshot: PullRequest,
  spec: PolicySpec | undefined,
): Promise<readonly string[]> {
  if (snapshot.state !== 'open' || spec?.trigger === 'merge') return [];
  const method = spec?.mergeMethod ?? 'merge';
  const isEnough = ({ methods }: MergeSettings): boolean => methods?.includes(method) !== false;
  const { methods } = await settingsOf(client, repository, isEnough);
  return unmergeable(snapshot, method, methods);
}

/** As they were read some minutes ago, if they are enough; else as they are now. */
export async function settingsOf(
  client: GitHubClient,
  repository: RepositoryRef,
  isEnough: (settings: MergeSettings) => boolean = () => true,
): Promise<MergeSettings> {
  const name = recordName(repository);
  const kept = known.get(name);
  if (kept !== undefined && performance.now() - kept.at < SETTINGS_KEPT_MS && isEnough(kept.settings))
    return kept.settings;
  const settings = await mergeSettings(client, repository);
  known.set(name, { settings, at: performance.now() });
  return settings;
}
