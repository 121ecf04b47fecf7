import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'libsql';
import type { StoreLocation } from '../../engine/store/store.ts';

/** A text that the system wrote, with where it stands. */
export interface Written {
  readonly where: string;
  readonly bytes: Buffer;
}

/** All files below a folder, and the objects of its git repositories as they are before compression. */
export async function filesBelow(folder: string): Promise<readonly Written[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = await Promise.all(
    files.map(async (where) => ({ where, bytes: await readFile(where).catch(() => Buffer.alloc(0)) })),
  );
  const mirrors = entries
    .filter((entry) => entry.isDirectory() && entry.name === 'objects')
    .map(({ parentPath }) => parentPath);
  return [...read, ...mirrors.map(gitObjects)];
}

function gitObjects(repository: string): Written {
  const args = ['--git-dir', repository, 'cat-file', '--batch-all-objects', '--batch'];
  return { where: `${repository} (git objects)`, bytes: execFileSync('git', args, { maxBuffer: 1 << 28 }) };
}

/** Of a store in PostgreSQL all that it holds; one in a file is among the files. */
export function databaseOf(location: StoreLocation): readonly Written[] {
  if (!('url' in location)) return [];
  return [
    { where: 'database', bytes: execFileSync('pg_dump', ['-d', location.url], { maxBuffer: 1 << 28 }) },
  ];
}

/** Plans of a SQLite store, which keeps them compressed. */
export function plansIn(store: string): readonly Written[] {
  const database = new Database(store);
  try {
    const rows = database.prepare('select digest, body from plans').all() as readonly StoredPlan[];
    return rows.map(({ digest, body }) => ({
      where: `stored plan ${digest.slice(0, 8)}`,
      bytes: gunzipSync(new Uint8Array(body)),
    }));
  } finally {
    database.close();
  }
}

/** Names of the keys that a SQLite store has made for the engine. */
export function keysIn(store: string): readonly string[] {
  const database = new Database(store);
  try {
    const rows = database.prepare('select name from keys').all() as readonly { readonly name: string }[];
    return rows.map(({ name }) => name);
  } finally {
    database.close();
  }
}

interface StoredPlan {
  readonly digest: string;
  readonly body: ArrayBuffer;
}

/**
 * Places that hold one of the texts in any of these forms: as it is, JSON-escaped, base64 at any offset, hex, sha256;
 * encodings also in other letters, and broken into lines, as JSON writes these too.
 */
export function placesOf(texts: readonly string[], written: readonly Written[]): readonly string[] {
  const forms = texts.flatMap(formsOf);
  return written.flatMap(({ where, bytes }) => {
    const dense = Buffer.from(bytes.toString('latin1').replace(/\s+|\\+n/g, ''), 'latin1');
    return forms
      .filter(({ form }) => bytes.includes(form) || dense.includes(form))
      .map(({ name }) => `${where}: ${name}`);
  });
}

function formsOf(text: string): readonly { readonly form: Buffer; readonly name: string }[] {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest();
  const named: readonly (readonly [string, string | Buffer])[] = [
    ['as it is', bytes],
    ['JSON-escaped', JSON.stringify(text).slice(1, -1)],
    ['URL-encoded', encodeURIComponent(text)],
    ['hex', bytes.toString('hex')],
    ['hex in capitals', bytes.toString('hex').toUpperCase()],
    ['sha256 in hex', sha256.toString('hex')],
    ['sha256 in capitals', sha256.toString('hex').toUpperCase()],
    ['sha256 in base64', sha256.toString('base64').replace(/=+$/, '')],
    ['sha256', sha256],
    ...[0, 1, 2].map((offset) => [`base64 at offset ${offset}`, base64At(bytes, offset)] as const),
  ];
  return named.map(([name, form]) => ({ form: Buffer.from(form), name: `${name} of ${text.slice(0, 40)}` }));
}

/** The characters of base64 that depend on the text alone where it begins `offset` bytes after a multiple of three. */
function base64At(bytes: Buffer, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const whole = padded.subarray(0, padded.length - (padded.length % 3)).toString('base64');
  return whole.slice(offset === 0 ? 0 : 4);
}
