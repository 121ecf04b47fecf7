import { createHash } from 'node:crypto';
import type { CommitData, TreeEntry } from './rows.ts';

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly sha: string;
  readonly content: Buffer;
}

/** The id git gives to an object (SHA-1 over header and content; gitformat-loose). */
export function objectSha(type: ObjectType, content: Buffer): string {
  return createHash('sha1').update(`${type} ${content.byteLength}\0`).update(content).digest('hex');
}

export function objectOf(type: ObjectType, content: Buffer): GitObject {
  return { type, sha: objectSha(type, content), content };
}

export function treeContent(entries: readonly TreeEntry[]): Buffer {
  const sortName = (entry: TreeEntry) => Buffer.from(entry.type === 'tree' ? `${entry.path}/` : entry.path);
  const ordered = [...entries].sort((left, right) => Buffer.compare(sortName(left), sortName(right)));
  return Buffer.concat(
    ordered.flatMap((entry) => [
      Buffer.from(`${entry.mode.replace(/^0+/, '')} ${entry.path}\0`),
      Buffer.from(entry.sha, 'hex'),
    ]),
  );
}

const SHA_BYTES = 20;

export function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const nul = content.indexOf(0, space);
    const mode = content.toString('latin1', at, space).padStart(6, '0');
    const path = content.toString('utf8', space + 1, nul);
    const sha = content.toString('hex', nul + 1, nul + 1 + SHA_BYTES);
    entries.push({ path, mode, type: typeOfMode(mode), sha });
    at = nul + 1 + SHA_BYTES;
  }
  return entries;
}

function typeOfMode(mode: string): 'tree' | 'commit' | 'blob' {
  if (mode === '040000') return 'tree';
  return mode === '160000' ? 'commit' : 'blob';
}

/** `2026-01-02T03:04:05+02:00` as git writes it in a commit: seconds and zone. */
export function identityDate(iso: string): string {
  const zone = /([+-])(\d{2}):?(\d{2})$/.exec(iso);
  const offset = zone ? `${zone[1]}${zone[2]}${zone[3]}` : '+0000';
  return `${Math.floor(Date.parse(iso) / 1000)} ${offset}`;
}

export function commitContent(data: CommitData): Buffer {
  const message = data.message.endsWith('\n') ? data.message : `${data.message}\n`;
  const lines = [
    `tree ${data.tree_sha}`,
    ...data.parent_shas.map((sha) => `parent ${sha}`),
    `author ${data.author_name} <${data.author_email}> ${identityDate(data.author_date)}`,
    `committer ${data.committer_name} <${data.committer_email}> ${identityDate(data.committer_date)}`,
    '',
    message,
  ];
  return Buffer.from(lines.join('\n'));
}

/** The message loses its final line feed, as in GitHub's answers. */
export function parseCommit(content: Buffer): CommitData {
  const text = content.toString('utf8');
  const split = text.indexOf('\n\n');
  const headers = text.slice(0, split).split('\n');
  const values = (name: string) =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const author = parseIdentity(values('author')[0] ?? '');
  const committer = parseIdentity(values('committer')[0] ?? '');
  return {
    message: text.slice(split + 2).replace(/\n$/, ''),
    author_name: author.name,
    author_email: author.email,
    author_date: author.date,
    committer_name: committer.name,
    committer_email: committer.email,
    committer_date: committer.date,
    tree_sha: values('tree')[0] ?? '',
    parent_shas: values('parent'),
  };
}

function parseIdentity(text: string): { name: string; email: string; date: string } {
  const found = /^(.*) <(.*)> (\d+) [+-]\d{4}$/.exec(text);
  if (found === null) throw new Error(`cannot read the git identity "${text}"`);
  const date = new Date(Number(found[3]) * 1000).toISOString().replace('.000Z', 'Z');
  return { name: found[1] ?? '', email: found[2] ?? '', date };
}
