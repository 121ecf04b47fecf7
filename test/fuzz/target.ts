import type { Random } from './random.ts';

/** One part of the engine that reads what strangers wrote. */
export interface Target {
  readonly name: string;
  readonly about: string;
  /** Inputs to begin with: good ones, from which nearly good ones are made. */
  readonly seeds: () => readonly Buffer[];
  readonly mutate: (random: Random, input: Buffer, seeds: readonly Buffer[]) => Buffer;
  /** Throws where what must hold of every input does not. */
  readonly check: (input: Buffer) => void | Promise<void>;
  /** Processor time that one check may take. A hundred times what good inputs take, so that only growth is noticed. */
  readonly secondsMax: number;
}

/** What must hold does not. */
export class Broken extends Error {
  readonly type = 'broken';
}

export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Broken(what);
}

/** An error that the part promises; any other is passed on. */
export function expectTyped(error: unknown, ...types: readonly string[]): void {
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  if (typeof type !== 'string' || !types.includes(type)) throw error;
}
