/** The last piece of work of each name, until it has ended. */
const last = new Map<string, Promise<unknown>>();

/** Work of one name is done one after the other in this process; a failure ends only its own. */
export async function oneByOne<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = last.get(name) ?? Promise.resolve();
  const mine = before.then(work);
  const ended = mine.catch(() => undefined);
  last.set(name, ended);
  try {
    return await mine;
  } finally {
    if (last.get(name) === ended) last.delete(name);
  }
}
