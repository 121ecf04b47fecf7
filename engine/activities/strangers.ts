const HOUR_MS = 3_600_000;

/**
 * Commands of people without write access that an installation answers in an hour: a reaction and a reply each, of the 450 writes
 * that all its repositories share. Whoever can comment can ask.
 */
export const STRANGERS_ANSWERED_MAX = 20;

/** What people without write access were answered, by each process for itself. */
export interface Strangers {
  /** Whether their comment is answered: once it is, it stays so. `spare`: whether GitHub's budget has something left for them. */
  readonly admit: (installationId: number, commentId: number, spare: boolean) => boolean;
}

/** `now`: milliseconds, of a clock that is never set. */
export function createStrangers(now: () => number): Strangers {
  const answered = new Map<number, ReadonlyMap<number, number>>();
  return {
    admit: (installationId, commentId, spare) => {
      const at = now();
      const all = [...(answered.get(installationId) ?? [])];
      const recent = new Map(all.filter(([, since]) => at - since < HOUR_MS));
      const admitted = recent.has(commentId) || (spare && recent.size < STRANGERS_ANSWERED_MAX);
      if (admitted && !recent.has(commentId)) recent.set(commentId, at);
      answered.set(installationId, recent);
      return admitted;
    },
  };
}
