import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** Files of an example repository by their path in it; in an order that is the same everywhere. */
export function exampleFiles(name: string): ReadonlyMap<string, Buffer> {
  const root = join(EXAMPLES, name);
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return new Map(paths.map((path) => [relative(root, path), readFileSync(path)]));
}

export function isYaml(path: string): boolean {
  return /\.ya?ml$/.test(path);
}
