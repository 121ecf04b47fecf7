/** Chance that is the same for the same name, on every machine. Not for secrets. */
export interface Random {
  /** 0 to `below` - 1. */
  readonly int: (below: number) => number;
  readonly chance: (share: number) => boolean;
  /** Throws on an empty list. */
  readonly pick: <T>(from: readonly T[]) => T;
}

export function randomOf(name: string): Random {
  const next = mulberry32(fnv1a(name));
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    chance: (share) => next() < share,
    pick: (from) => {
      const found = from[int(from.length)];
      if (found === undefined) throw new Error('there is nothing to pick from');
      return found;
    },
  };
}

/** FNV-1a, 32 bits (RFC 9923). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Mulberry32 by Tommy Ettinger, public domain: small, and good enough to choose bytes. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
