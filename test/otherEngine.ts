import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** All that the engine runs from, and its bundler. */
const PARTS = [
  'engine',
  'workflows',
  'schemas',
  'scripts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** A copy of the engine with other workflows. Remove it in any case. */
export interface OtherEngine {
  /** Its main program, for `EngineOptions.main`. */
  readonly main: string;
  readonly workflows: string;
  readonly remove: () => Promise<void>;
}

/** `change` is given the text of each file of workflows. */
export async function otherEngine(change: (text: string) => string): Promise<OtherEngine> {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-other-'));
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    const filter = (path: string): boolean => !path.includes('/histories') && !/\.test\.ts$/.test(path);
    for (const part of PARTS) await cp(join(ROOT, part), join(dir, part), { recursive: true, filter });
    await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    const workflows = join(dir, 'workflows');
    for (const file of (await readdir(workflows)).filter((name) => name.endsWith('.ts'))) {
      const path = join(workflows, file);
      await writeFile(path, change(await readFile(path, 'utf8')));
    }
    return { main: join(dir, 'dist', 'engine.js'), workflows, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Makes the copy's bundles; gives the one that its workers start from. */
export async function bundled({ workflows }: OtherEngine): Promise<string> {
  const cwd = join(workflows, '..');
  await promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/bundle.ts'], { cwd });
  return join(cwd, 'dist', 'workflows.js');
}

const PATCHED = /\bpatched\('([\w-]+)'\)/g;

/** Names of the guards in the text of a workflow. */
export function guardsIn(text: string): readonly string[] {
  return [...text.matchAll(PATCHED)].map(([, name = '']) => name);
}

/** As the workflows were before every change that is guarded by `patched`. */
export function beforePatches(text: string): string {
  return text.replaceAll(PATCHED, 'false');
}

/** How a bundle calls what a workflow imports as `patched`. */
const BUNDLED = /\(0,\w+\.patched\)\('([\w-]+)'\)/g;

/**
 * A bundle of workflows with the ways of one guard exchanged: old runs take the new one, as if it had no guard, and new runs the old
 * one. Throws where it does not call the guard.
 */
export function flipped(bundle: string, name: string): string {
  const other = bundle.replaceAll(BUNDLED, (call, own) => (own === name ? `!${call}` : call));
  if (other === bundle) throw new Error(`the bundle of the workflows does not call patched('${name}')`);
  return other;
}
