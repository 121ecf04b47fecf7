/**
 * Makes one write of those that are asked for within one turn of the event loop, or while another is under way: one
 * commit, and one wait for the disk, for all of them. Answers come in the order of the items; a write that fails, fails for each.
 */
export function together<T, R>(
  write: (items: readonly T[]) => Promise<readonly R[]>,
  most: number,
): (item: T) => Promise<R> {
  const queue: Asked<T, R>[] = [];
  let writing = false;

  const writeAll = async (): Promise<void> => {
    while (queue.length > 0) await settle(queue.splice(0, most), write);
    writing = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
      if (writing) return;
      writing = true;
      setImmediate(() => void writeAll());
    });
}

interface Asked<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

async function settle<T, R>(
  asked: readonly Asked<T, R>[],
  write: (items: readonly T[]) => Promise<readonly R[]>,
): Promise<void> {
  try {
    const results = await write(asked.map(({ item }) => item));
    for (const [n, { resolve }] of asked.entries()) resolve(results[n] as R);
  } catch (error) {
    for (const { reject } of asked) reject(error);
  }
}
