/** Writes dist/workflows.js, from which workers start (1.2 s and 100 MB less each), unless it is newer than its sources. */
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { FAILURE_CONVERTER } from '../engine/temporal/client.ts';
import { BUNDLE } from '../engine/worker.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORKFLOWS = join(ROOT, 'workflows');

/** Returns whether it had to be made. Throws what the bundler says, such as an import that workflows must not have. */
export async function bundleWorkflows(): Promise<boolean> {
  if (await isFresh()) return false;
  const logger = new DefaultLogger('ERROR');
  const workflowsPath = join(WORKFLOWS, 'all.ts');
  const options = { workflowsPath, failureConverterPath: FAILURE_CONVERTER, logger };
  const { code } = await bundleWorkflowCode(options);
  await mkdir(dirname(BUNDLE), { recursive: true });
  // Two runs at once each leave a whole file.
  const partial = `${BUNDLE}.${process.pid}`;
  try {
    await writeFile(partial, code);
    await rename(partial, BUNDLE);
  } finally {
    await rm(partial, { force: true });
  }
  return true;
}

/** Types that workflows import from the engine leave nothing in the bundle, so only these files count. */
async function isFresh(): Promise<boolean> {
  const made = await modified(BUNDLE);
  const names = (await readdir(WORKFLOWS)).filter(
    (name) => /\.c?[jt]s$/.test(name) && !name.includes('.test.'),
  );
  const sources = [join(ROOT, 'package-lock.json'), WORKFLOWS, ...names.map((name) => join(WORKFLOWS, name))];
  const newest = Math.max(...(await Promise.all(sources.map(modified))));
  return made > newest;
}

/** Epoch ms; 0 where there is no file. */
async function modified(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log((await bundleWorkflows()) ? 'workflows bundled' : 'the workflow bundle is up to date');
}
