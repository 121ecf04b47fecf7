/** Most that is fetched by one process: its arguments stay short, and one bad id fails few others. */
const TOGETHER_MAX = 50;

/**
 * Calls that come while another is under way wait and go together, each id once. When such a group fails, each of
 * it is tried alone, so that only those to blame fail.
 */
export function gathered(
  many: (ids: readonly string[]) => Promise<void>,
  one: (id: string) => Promise<void>,
): (id: string) => Promise<void> {
  const waiting = new Map<string, Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();
  let group: { readonly ids: string[]; readonly done: Promise<void> } | undefined;
  const together = (ids: readonly string[]): Promise<void> =>
    ids.length === 1 && ids[0] !== undefined ? one(ids[0]) : many(ids);
  const begin = () => {
    const ids: string[] = [];
    const done = last.then(() => {
      group = undefined;
      return together(ids);
    });
    last = done.catch(() => undefined);
    return { ids, done };
  };
  return (id) => {
    const known = waiting.get(id);
    if (known !== undefined) return known;
    if (group === undefined || group.ids.length >= TOGETHER_MAX) group = begin();
    const { ids, done } = group;
    ids.push(id);
    const mine = done
      .catch((error: unknown) => (ids.length === 1 ? Promise.reject(error) : one(id)))
      .finally(() => waiting.delete(id));
    waiting.set(id, mine);
    return mine;
  };
}
