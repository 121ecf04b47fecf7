/**
 * For sources: a thread does not inherit the TypeScript loader of `--import tsx`. This is its loader for `require`: that for `import` would run
 * in one more thread, of 13 MB.
 */
const { fileURLToPath } = require('node:url');
const { workerData } = require('node:worker_threads');
const { register } = require('tsx/cjs/api');

register();
require(fileURLToPath(workerData.module));
