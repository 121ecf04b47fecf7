import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Advisories } from '../security/advisories.ts';
import type { TrackedSource } from './debian.ts';

/** What is known of the data that is kept. Times are epoch ms. */
export interface Kept {
  readonly format: number;
  readonly url: string;
  readonly etag: string;
  /** Of the data, as its server says. */
  readonly date: number;
  /** When it was last known to be the newest. */
  readonly checkedAt: number;
  /** Name of the file with the data, one line for each source package. */
  readonly file: string;
}

const FORMAT = 1;
const META = 'debian.json';

/** What is kept in this folder of data from this URL; undefined where nothing is, or an engine of another version kept it. */
export async function keptIn(folder: string, url: string): Promise<Kept | undefined> {
  try {
    const kept = JSON.parse(await readFile(join(folder, META), 'utf8')) as Kept;
    return kept.format === FORMAT && kept.url === url ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the data; what was there before stays whole until the new is. */
export async function keep(
  folder: string,
  about: Omit<Kept, 'format' | 'file'>,
  sources: AsyncIterable<TrackedSource>,
  before: Kept | undefined,
): Promise<Kept> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = `debian-${randomUUID()}.ndjson`;
  const lines = (async function* () {
    for await (const source of sources) yield `${JSON.stringify(source)}\n`;
  })();
  try {
    await pipeline(Readable.from(lines), createWriteStream(join(folder, file), { mode: 0o600 }));
  } catch (error) {
    await rm(join(folder, file), { force: true });
    throw error;
  }
  const kept = { ...about, format: FORMAT, file };
  await note(folder, kept);
  if (before !== undefined) await rm(join(folder, before.file), { force: true });
  return kept;
}

/** In one move, so that nobody reads half of it. */
export async function note(folder: string, kept: Kept): Promise<void> {
  const fresh = join(folder, `${META}.${randomUUID()}`);
  await writeFile(fresh, JSON.stringify(kept), { mode: 0o600 });
  await rename(fresh, join(folder, META));
}

/** Of these source packages only: all of it would take a hundred megabytes of memory. */
export async function readSources(
  folder: string,
  { file }: Kept,
  wanted: ReadonlySet<string>,
): Promise<Advisories['sources']> {
  const found = new Map<string, TrackedSource[1]>();
  const lines = createInterface({ input: createReadStream(join(folder, file)), crlfDelay: Infinity });
  for await (const line of lines) {
    const name = line.slice(2, line.indexOf('"', 2));
    if (!wanted.has(name)) continue;
    const [source, releases] = JSON.parse(line) as TrackedSource;
    found.set(source, releases);
  }
  return found;
}
