import { createHash } from 'node:crypto';

/** What of an entry is under its hash: everything but its number, which a rolled-back transaction may skip. */
export interface ChainedEntry {
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly repository: string | null;
  readonly pull: number | null;
  readonly head_sha: string | null;
  readonly digest: string | null;
  /** JSON text, as stored. */
  readonly detail: string;
}

/** What the first entry is chained to. */
export const CHAIN_START = '0'.repeat(64);

/** sha256, hex, over the hash of the entry before and this one's fields in a fixed order. */
export function chainHash(previous: string, entry: ChainedEntry): string {
  const { at, who, what, repository, pull, head_sha: head, digest, detail } = entry;
  const text = JSON.stringify([previous, at, who, what, repository, pull, head, digest, detail]);
  return createHash('sha256').update(text).digest('hex');
}

/** An entry as stored. */
export interface LinkedEntry extends ChainedEntry {
  readonly seq: number;
  readonly hash: string;
}

export interface ChainState {
  readonly entries: number;
  /** Hash of the last entry that fits. */
  readonly head: string;
  /** Number of the first entry that does not fit: it, or the one before it, was changed, removed or put in. */
  readonly brokenAt?: number;
}

/** Follows the chain over the next entries; stays at the first break. */
export function follow(state: ChainState, entries: readonly LinkedEntry[]): ChainState {
  let { head, entries: count } = state;
  if (state.brokenAt !== undefined) return state;
  for (const entry of entries) {
    if (chainHash(head, entry) !== entry.hash) return { entries: count, head, brokenAt: entry.seq };
    head = entry.hash;
    count += 1;
  }
  return { entries: count, head };
}
