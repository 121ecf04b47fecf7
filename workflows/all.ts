// biome-ignore-all lint/performance/noBarrelFile: a Temporal worker bundles one module and finds workflows by its exports
import './traces.ts';

export { correction } from './correction.ts';
export { deployment } from './deployment.ts';
export { drift } from './drift.ts';
export { issueRequest } from './issueRequest.ts';
export { mergeGroup } from './mergeGroup.ts';
export { planRevision } from './plan.ts';
export { pullRequest } from './pullRequest.ts';
export { repository } from './repository.ts';
export { rollback } from './rollback.ts';
export { securityUpload } from './securityUpload.ts';
export { sweep } from './sweep.ts';
