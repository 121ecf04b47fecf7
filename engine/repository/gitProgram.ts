/** Program of the process that starts git for an engine (gitProcess.ts): it is small, so a start takes 2 ms and not 30. */
import { type GitOrder, runGit } from './runGit.ts';

export interface Asked {
  readonly id: number;
  readonly order: GitOrder;
}

/** `words`: git's, of an order that failed. */
export type Answered = { readonly id: number } & ({ readonly text: string } | { readonly words: string });

// A Ctrl-C reaches the whole terminal, an end by systemd the whole unit: the engine ends first, and this with it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', ({ id, order }: Asked) => {
  const answer = (answered: Answered): void => {
    if (process.connected) process.send?.(answered);
  };
  runGit(order).then(
    (text) => answer({ id, text }),
    (error: unknown) => answer({ id, words: error instanceof Error ? error.message : String(error) }),
  );
});
