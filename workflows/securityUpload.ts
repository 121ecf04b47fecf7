import type { RepositoryRef } from '../engine/activities/types.ts';
import { short } from './activities.ts';
import { uploadSecurity } from './security.ts';

/** Once a run has changed servers: GitHub's alerts are about the default branch as it is now. */
export async function securityUpload(repository: RepositoryRef): Promise<void> {
  await uploadSecurity(repository, await short.defaultBranchTip(repository));
}
