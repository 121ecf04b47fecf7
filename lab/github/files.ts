import { gitOutput } from './git.ts';
import type { Json } from './json.ts';
import { baseTip } from './merges.ts';
import type { Mirror } from './mirror.ts';
import type { PullRow } from './rows.ts';

/** GitHub leaves the patch out of files beyond this. Characters; its own bound is not documented. */
const PATCH_LIMIT_CHARS = 100_000;

export interface FileChange {
  readonly status: 'added' | 'removed' | 'modified' | 'renamed' | 'changed';
  readonly filename: string;
  readonly previous: string | undefined;
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
}

export interface DiffStatistics {
  readonly additions: number;
  readonly deletions: number;
  readonly changed_files: number;
}

/** Changes of the head since it left the base (three dots, as GitHub shows them). */
export async function fileChanges(mirror: Mirror, pull: PullRow): Promise<FileChange[]> {
  const args = ['diff', '--raw', '--numstat', '--no-abbrev', '-M', '-z', ...range(mirror, pull)];
  return parseChanges((await gitOutput(mirror.dir, args)).toString());
}

function range(mirror: Mirror, pull: PullRow): string[] {
  return ['--merge-base', pull.merged ? pull.base_sha : baseTip(mirror, pull), pull.head_sha];
}

export async function diffStatistics(mirror: Mirror, pull: PullRow): Promise<DiffStatistics> {
  const changes = await fileChanges(mirror, pull);
  return {
    additions: changes.reduce((sum, change) => sum + change.additions, 0),
    deletions: changes.reduce((sum, change) => sum + change.deletions, 0),
    changed_files: changes.length,
  };
}

const STATUS: Readonly<Record<string, FileChange['status']>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  T: 'changed',
};

/** Reads `git diff --raw --numstat -z`: all raw records, then all counts, in the same order. */
export function parseChanges(text: string): FileChange[] {
  const fields = text.split('\0');
  const changes: FileChange[] = [];
  let at = 0;
  for (; fields[at]?.startsWith(':'); at += 1) {
    const [, , before = '', after = '', letter = ''] = (fields[at] ?? '').split(' ');
    const renamed = letter.startsWith('R');
    const first = fields[++at] ?? '';
    const filename = renamed ? (fields[++at] ?? '') : first;
    const sha = letter === 'D' ? before : after;
    const status = STATUS[letter.charAt(0)] ?? 'modified';
    changes.push({
      status,
      filename,
      previous: renamed ? first : undefined,
      sha,
      additions: 0,
      deletions: 0,
    });
  }
  return changes.map((change) => {
    const [added = '0', deleted = '0', path] = (fields[at++] ?? '').split('\t');
    if (path === '') at += 2;
    return { ...change, additions: Number(added) || 0, deletions: Number(deleted) || 0 };
  });
}

export async function pullFiles(mirror: Mirror, pull: PullRow, repoUrl: string): Promise<Json[]> {
  const changes = await fileChanges(mirror, pull);
  const text = (await gitOutput(mirror.dir, ['diff', '-M', ...range(mirror, pull)])).toString();
  const patches = text.split(/^diff --git .*$/m).slice(1);
  const htmlUrl = repoUrl.replace('/repos/', '/');
  return changes.map((change, index) => ({
    sha: change.sha,
    filename: change.filename,
    status: change.status,
    additions: change.additions,
    deletions: change.deletions,
    changes: change.additions + change.deletions,
    blob_url: `${htmlUrl}/blob/${pull.head_sha}/${encodeURIComponent(change.filename)}`,
    raw_url: `${htmlUrl}/raw/${pull.head_sha}/${encodeURIComponent(change.filename)}`,
    contents_url: `${repoUrl}/contents/${encodeURIComponent(change.filename)}?ref=${pull.head_sha}`,
    ...patchOf(patches[index] ?? ''),
    ...(change.previous !== undefined && { previous_filename: change.previous }),
  }));
}

function patchOf(text: string): { patch?: string } {
  const start = text.indexOf('\n@@ ');
  const patch = text.slice(start + 1).replace(/\n$/, '');
  return start < 0 || patch.length > PATCH_LIMIT_CHARS ? {} : { patch };
}
