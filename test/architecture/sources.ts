import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  /** A path from the root for relative imports, else as written. */
  readonly target: string;
  readonly typeOnly: boolean;
  /** Named imports, as exported; empty for other forms. */
  readonly names: readonly string[];
}

export interface Source {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Paths of all files that are or would be committed. */
export function committedFiles(): readonly string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  const paths = list
    .toString()
    .split('\0')
    .filter((path) => path !== '');
  return [...new Set(paths)].filter((path) => existsSync(`${ROOT}${path}`));
}

export function read(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8');
}

/** Of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): readonly string[] {
  const headings = [...text.replaceAll(/^ *```.*?^ *```$/gms, '').matchAll(/^#+ (.+)$/gm)];
  return headings.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

export function sources(): readonly Source[] {
  return committedFiles()
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = read(path);
      return { path, text, imports: importsOf(path, text) };
    });
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'/g;

export function importsOf(path: string, text: string): readonly Import[] {
  const resolve = (target: string): string =>
    target.startsWith('.') ? posix.join(posix.dirname(path), target) : target;
  const statements = [...text.matchAll(STATEMENT)].map(
    ([, type, clause = '', target = '']): Import => ({
      target: resolve(target),
      typeOnly: type !== undefined,
      names: namesIn(clause),
    }),
  );
  const dynamic = [...text.matchAll(DYNAMIC)].map(
    ([, target = '']): Import => ({ target: resolve(target), typeOnly: false, names: [] }),
  );
  return [...statements, ...dynamic];
}

function namesIn(clause: string): readonly string[] {
  const inner = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  return inner
    .split(',')
    .map((name) =>
      name
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/, ''),
    )
    .filter((name) => name !== '');
}

/** `engine/spec` of `engine/spec/load.ts`; files right below engine/ are folders of their own. */
export function folderOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'engine' ? `engine/${second}` : top;
}

/** Tests and what only tests use. */
export function isForTests({ path }: Pick<Source, 'path'>): boolean {
  return /\.(test|suite|fixture)\.ts$|\/testing\/|\/testing\.ts$|^test\//.test(path);
}
