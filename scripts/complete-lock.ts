/**
 * Adds what package-lock.json lacks of other platforms' optional packages. A registry that mirrors only one platform's leaves
 * them out, and then `npm ci` refuses everywhere ("Missing: @biomejs/cli-darwin-x64@ from lock file"). Run it after
 * `npm install NAME`. What is added has no integrity, since nothing was fetched; it is installed on its own platform only.
 */
import { readFile, writeFile } from 'node:fs/promises';

interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const FILE = new URL('../package-lock.json', import.meta.url);
const OPERATING_SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

const lock = JSON.parse(await readFile(FILE, 'utf8')) as { packages: Record<string, Entry> };
const added = Object.entries(lock.packages).flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name, range]) => /^\d/.test(range) && !isThere(path, name))
    .map(
      ([name, version]) =>
        [`node_modules/${name}`, platformEntry(name, version, entry.dev === true)] as const,
    ),
);
for (const [path, entry] of added) lock.packages[path] = entry;
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
await writeFile(FILE, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, undefined, 2)}\n`);
console.log(added.length === 0 ? 'nothing was missing' : added.map(([path]) => `added ${path}`).join('\n'));

/** As Node resolves it: beside the package, or in any folder above. */
function isThere(path: string, name: string): boolean {
  const above = path
    .split('/node_modules/')
    .map((_, i, parts) => parts.slice(0, i + 1).join('/node_modules/'));
  return ['', ...above.map((folder) => `${folder}/`)].some(
    (folder) => `${folder}node_modules/${name}` in lock.packages,
  );
}

/** Such packages carry their platform in their names: `@swc/core-linux-arm-gnueabihf`. */
function platformEntry(name: string, version: string, dev: boolean): Entry {
  const words = name.split(/[/-]/);
  const os = words.find((word) => OPERATING_SYSTEMS.includes(word));
  const cpu = words.find((word) => PROCESSORS.includes(word));
  if (os === undefined || cpu === undefined)
    throw new Error(`${name} does not say its platform; add it by hand`);
  const libc = words.includes('musl') ? { libc: ['musl'] } : {};
  return { version, cpu: [cpu], ...(dev ? { dev: true } : {}), ...libc, optional: true, os: [os] };
}
