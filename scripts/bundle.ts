/**
 * Writes what the engine starts from to dist/: `workflows.js` (1.2 s and 100 MB less at each worker's start), unless it is newer than
 * its sources, and in any case, since it takes 0.1 s, the engine itself.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { build, type Plugin } from 'esbuild';
import { BUNDLE, bundleOptions } from '../engine/worker.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORKFLOWS = join(ROOT, 'workflows');

/** By the name of the bundle: what is started by itself, the process, its thread, and the process that starts git. */
const PROGRAMS = {
  engine: 'engine/main.ts',
  receiver: 'engine/receiver/thread.ts',
  git: 'engine/repository/gitProgram.ts',
} as const;

/** What `npm start` runs. */
export const ENGINE = join(dirname(BUNDLE), 'engine.js');

/** Throws what a bundler says, such as an import that workflows must not have. */
export async function bundle(): Promise<void> {
  await bundleWorkflows();
  const { outputFiles } = await build({
    entryPoints: PROGRAMS,
    outdir: dirname(BUNDLE),
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: 'linked',
    write: false,
    plugins: [ownPlaces],
    logLevel: 'silent',
  });
  // the map before the text that names it
  for (const { path, text } of outputFiles.toReversed()) await replace(path, text);
}

/** A module finds the files beside it from where its source is, and a program that it starts among the bundles. */
const ownPlaces: Plugin = {
  name: 'own-places',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: placed(await readFile(path, 'utf8'), path),
      loader: 'ts',
    }));
  },
};

/** `path`: of the source, absolute. */
function placed(source: string, path: string): string {
  const own = `new URL(${JSON.stringify(relative(dirname(BUNDLE), path))}, import.meta.url).href`;
  return source.replaceAll(/(?:'(\.[^']+)', )?import\.meta\.url/g, (_, file?: string) => {
    if (file === undefined) return own;
    const target = relative(ROOT, join(dirname(path), file));
    const program = Object.entries(PROGRAMS).find(([, source]) => source === target)?.[0];
    return program === undefined ? `'${file}', ${own}` : `'./${program}.js', import.meta.url`;
  });
}

async function bundleWorkflows(): Promise<void> {
  if (await isFresh()) return;
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ ...bundleOptions(join(WORKFLOWS, 'all.ts')), logger });
  await replace(BUNDLE, code);
}

/** Two runs at once each leave a whole file. */
async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  try {
    await writeFile(partial, text);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
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

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
