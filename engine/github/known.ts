/** Ids of what the App made on GitHub, so that it is not looked for each time that it is to read otherwise. Of one process: another looks. */
export interface Known {
  readonly get: (...name: readonly (string | number)[]) => number | undefined;
  readonly set: (id: number, ...name: readonly (string | number)[]) => void;
  readonly forget: (...name: readonly (string | number)[]) => void;
}

/** Checks and comments that are remembered; the longest unused is forgotten first. Some 2 MB. */
const KNOWN_MAX = 10_000;

export function createKnown(max = KNOWN_MAX): Known {
  const ids = new Map<string, number>();
  const keep = (key: string, id: number): void => {
    ids.delete(key);
    ids.set(key, id);
    for (const oldest of ids.keys()) {
      if (ids.size <= max) return;
      ids.delete(oldest);
    }
  };
  return {
    get: (...name) => {
      const key = JSON.stringify(name);
      const id = ids.get(key);
      if (id !== undefined) keep(key, id);
      return id;
    },
    set: (id, ...name) => keep(JSON.stringify(name), id),
    forget: (...name) => void ids.delete(JSON.stringify(name)),
  };
}
