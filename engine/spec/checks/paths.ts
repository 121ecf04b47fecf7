/** Folders in which the engine keeps its own records, or in which nothing can be kept. */
const FORBIDDEN_FOLDERS = [
  '/proc',
  '/sys',
  '/dev',
  '/run/doaas',
  '/var/run/doaas',
  '/var/lib/doaas',
] as const;

/** What is wrong with a path on a server, or undefined. */
export function targetPathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path; begin it with "/"';
  if (path === '/') return 'is the root directory, which cannot be managed';
  if (path.endsWith('/')) return 'ends in "/"; leave that out';
  const unclean = uncleanSegment(path.slice(1));
  if (unclean !== undefined) return `contains ${unclean}; write the path without it`;
  const folder = FORBIDDEN_FOLDERS.find(
    (forbidden) => path === forbidden || path.startsWith(`${forbidden}/`),
  );
  return folder === undefined ? undefined : `lies in ${folder}, which documents may not change`;
}

/** What is wrong with the path of a file in the repository, or undefined. */
export function repositoryPathProblem(path: string): string | undefined {
  if (path.startsWith('/')) return 'is absolute; write it from the root of the repository';
  if (path.split('/').includes('..')) return 'may lead out of the repository; write it without ".."';
  const unclean = uncleanSegment(path);
  return unclean === undefined ? undefined : `contains ${unclean}; write the path without it`;
}

function uncleanSegment(path: string): string | undefined {
  for (const segment of path.split('/')) {
    if (segment === '') return '"//"';
    if (segment === '.' || segment === '..') return JSON.stringify(segment);
  }
  return undefined;
}
