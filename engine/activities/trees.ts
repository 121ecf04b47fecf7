/** Resolved trees that are kept in memory, those that were used least recently not. */
export const TREES_CACHED = 12;
/** What they weigh together; the newest stays whatever it weighs. Bytes. */
export const TREES_WEIGHT_MAX = 64 * 1024 * 1024;

export interface Trees<T> {
  /** The tree of that name, made unless anybody has it. A failure is not kept. */
  readonly get: (name: string, make: () => Promise<T>) => Promise<T>;
}

interface Kept<T> {
  readonly tree: Promise<T>;
  /** Bytes; 0 until it is made. */
  weight: number;
}

/**
 * Trees by name, which never change, so they never go stale. One that is not kept any more but still worked with is found
 * all the same: many at work on one tree hold it once. `weigh`: about how many bytes one takes.
 */
export function createTrees<T extends object>(
  weigh: (tree: T) => number,
  { most = TREES_CACHED, weightMax = TREES_WEIGHT_MAX } = {},
): Trees<T> {
  const kept = new Map<string, Kept<T>>();
  const held = new Map<string, WeakRef<T>>();
  const gone = new FinalizationRegistry<string>((name) => {
    if (held.get(name)?.deref() === undefined) held.delete(name);
  });

  const shrink = (): void => {
    let weight = [...kept.values()].reduce((sum, each) => sum + each.weight, 0);
    for (const [name, each] of kept) {
      if (kept.size === 1 || (kept.size <= most && weight <= weightMax)) return;
      kept.delete(name);
      weight -= each.weight;
    }
  };
  const keep = (name: string, entry: Kept<T>): Promise<T> => {
    kept.delete(name);
    kept.set(name, entry);
    shrink();
    return entry.tree;
  };
  const made = async (name: string, entry: Kept<T>): Promise<void> => {
    const tree = await entry.tree;
    held.set(name, new WeakRef(tree));
    gone.register(tree, name);
    entry.weight = weigh(tree);
    shrink();
  };
  return {
    get: (name, make) => {
      const known = kept.get(name);
      if (known !== undefined) return keep(name, known);
      const alive = held.get(name)?.deref();
      if (alive !== undefined) return keep(name, { tree: Promise.resolve(alive), weight: weigh(alive) });
      const entry = { tree: make(), weight: 0 };
      made(name, entry).catch(() => {
        if (kept.get(name) === entry) kept.delete(name);
      });
      return keep(name, entry);
    },
  };
}
