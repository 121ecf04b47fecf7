import { setTimeout as pause } from 'node:timers/promises';
import type { Advisories } from '../security/advisories.ts';
import { type Kept, keep, keptIn, note, readSources } from './cache.ts';
import { trackedSource } from './debian.ts';
import { membersOf } from './members.ts';

/** Debian's list has some 70 MB in 2026. Bytes, unpacked. */
const DATA_MAX_BYTES = 512 * 1024 * 1024;
/** One source package of it; that of the kernel has some 15 MB. Characters. */
const SOURCE_MAX_CHARACTERS = 128 * 1024 * 1024;
/** In all, with its answer. */
const FETCH_MAX_MS = 180_000;
/** Debian makes it anew a few times a day. */
const CHECK_EVERY_MS = 6 * 60 * 60 * 1000;
/** Where it could not be had, it is not asked for again for so long. */
const PATIENCE_MS = 15 * 60 * 1000;

export interface Tracker {
  /**
   * What is known of these source packages; undefined where the list never could be had. Never throws. `patienceMs`: a list that is
   * being fetched is waited for so long, then what was kept before counts; default until it is there.
   */
  readonly of: (sources: ReadonlySet<string>, patienceMs?: number) => Promise<Advisories | undefined>;
}

export interface TrackerOptions {
  /** Undefined: nobody is asked. */
  readonly url: string | undefined;
  /** Where the list is kept. */
  readonly folder: string;
  /** Hears why the list could not be had. */
  readonly failed: (reason: string) => void;
  readonly now?: () => number;
}

/** Debian's security tracker, kept on disk. One that cannot be reached is no failure: what is kept counts, with its date. */
export function createTracker({ url, folder, failed, now = Date.now }: TrackerOptions): Tracker {
  let refreshing: Promise<Kept | undefined> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  const refresh = async (from: string): Promise<Kept | undefined> => {
    const kept = await keptIn(folder, from);
    if (kept !== undefined && now() - kept.checkedAt < CHECK_EVERY_MS) return kept;
    if (now() - failedAt < PATIENCE_MS) return kept;
    try {
      return await fetchTracker(from, folder, kept, now);
    } catch (error) {
      failedAt = now();
      failed(error instanceof Error ? `${error.message}${causeIn(error)}` : String(error));
      return kept;
    }
  };
  return {
    of: async (sources, patienceMs) => {
      if (url === undefined) return undefined;
      refreshing ??= refresh(url).finally(() => {
        refreshing = undefined;
      });
      const kept = await within(patienceMs, refreshing, () => keptIn(folder, url));
      if (kept === undefined) return undefined;
      const found = await readSources(folder, kept, sources).catch(() => undefined);
      if (found === undefined) return undefined;
      return { from: "Debian's security tracker", date: new Date(kept.date).toISOString(), sources: found };
    },
  };
}

/** What comes in time, or what there is instead. */
async function within<T>(ms: number | undefined, coming: Promise<T>, instead: () => Promise<T>): Promise<T> {
  if (ms === undefined) return coming;
  const over = new AbortController();
  const late = pause(ms, undefined, { signal: over.signal }).then(instead);
  late.catch(() => undefined);
  return Promise.race([coming, late]).finally(() => over.abort());
}

function causeIn({ cause }: Error): string {
  return cause instanceof Error ? ` (${cause.message})` : '';
}

async function fetchTracker(
  url: string,
  folder: string,
  kept: Kept | undefined,
  now: () => number,
): Promise<Kept> {
  const headers = { accept: 'application/json', ...(kept?.etag ? { 'if-none-match': kept.etag } : {}) };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(FETCH_MAX_MS) });
  if (response.status === 304 && kept !== undefined) {
    await response.body?.cancel();
    const checked = { ...kept, checkedAt: now() };
    await note(folder, checked);
    return checked;
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const date = Date.parse(response.headers.get('last-modified') ?? '');
  const about = {
    url,
    etag: response.headers.get('etag') ?? '',
    date: Number.isFinite(date) ? date : now(),
    checkedAt: now(),
  };
  return keep(folder, about, sourcesIn(response.body), kept);
}

async function* sourcesIn(body: ReadableStream<Uint8Array>) {
  let sources = 0;
  for await (const member of membersOf(textOf(body), SOURCE_MAX_CHARACTERS)) {
    sources += 1;
    yield trackedSource(member);
  }
  if (sources === 0) throw new Error('the list of vulnerabilities is empty');
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let size = 0;
  for await (const bytes of body) {
    size += bytes.byteLength;
    if (size > DATA_MAX_BYTES)
      throw new Error(`the list of vulnerabilities has more than ${DATA_MAX_BYTES} bytes`);
    yield decoder.decode(bytes, { stream: true });
  }
  yield decoder.decode();
}
