import type { Remembered } from '../facts/remembered.ts';

/** Answers that are remembered; the one that was used least recently goes. Each is at most 16 KiB. */
export const ANSWERS_MAX = 2_000;

/** By host and question. Lost with the process: then the host is asked again. */
export interface Memory {
  readonly get: (key: string) => Remembered | undefined;
  readonly set: (key: string, answer: Remembered) => void;
}

export function createMemory(max = ANSWERS_MAX): Memory {
  const answers = new Map<string, Remembered>();
  const set = (key: string, answer: Remembered): void => {
    answers.delete(key);
    answers.set(key, answer);
    const [oldest] = answers.keys();
    if (answers.size > max && oldest !== undefined) answers.delete(oldest);
  };
  const get = (key: string): Remembered | undefined => {
    const answer = answers.get(key);
    if (answer !== undefined) set(key, answer);
    return answer;
  };
  return { get, set };
}
