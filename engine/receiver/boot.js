/** Worker threads do not inherit the TypeScript loader of `--import tsx`, and a thread cannot begin with a .ts file without it. */
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.module);
