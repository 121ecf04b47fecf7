/** The last piece of work of each run; what comes later waits for it, and makes what waits still superfluous. */
const last = new Map<string, { readonly done: Promise<void> }>();

/**
 * One publication of a run after the other, so that one which GitHub held up does not overwrite a later one. Where a later one waits
 * already, an earlier one that has not begun is left out.
 */
export async function inOrder(run: string, work: () => Promise<void>): Promise<void> {
  const before = last.get(run)?.done;
  let end: () => void = () => undefined;
  const mine = {
    done: new Promise<void>((resolve) => {
      end = resolve;
    }),
  };
  last.set(run, mine);
  try {
    await before;
    if (before === undefined || last.get(run) === mine) await work();
  } finally {
    end();
    if (last.get(run) === mine) last.delete(run);
  }
}

/** Something of the run is being published, or waits for that. */
export function isBusy(run: string): boolean {
  return last.has(run);
}

/** Ends once all of these have ended, also where one failed, so that none is still under way when a later piece of work begins. Throws the first failure. */
export async function allEnded(parts: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(parts);
  await Promise.all(parts);
}
