/** Runs of which a process notes what it showed; far more than are shown live. */
const NOTED_MAX = 1_000;

export interface Notes<V> {
  readonly get: (name: string) => V | undefined;
  readonly has: (name: string) => boolean;
  readonly set: (name: string, value: V) => void;
  readonly delete: (name: string) => void;
}

/**
 * Notes by name, the oldest of which go. A run can end in another process, which tells nobody here, so that what is noted of it
 * would stay for good.
 */
export function recent<V>(most = NOTED_MAX): Notes<V> {
  const notes = new Map<string, V>();
  return {
    get: (name) => notes.get(name),
    has: (name) => notes.has(name),
    delete: (name) => void notes.delete(name),
    set: (name, value) => {
      notes.delete(name);
      notes.set(name, value);
      const [oldest] = notes.keys();
      if (notes.size > most && oldest !== undefined) notes.delete(oldest);
    },
  };
}
