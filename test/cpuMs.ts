import { expect } from 'vitest';

const SOON_MS = 2_000;

/**
 * Processor time of this process while `run` runs, ms: other work on the machine is not in it, nor are other files, since
 * vitest's forks run one at a time (its threads would share this). `undefined` and not `void`, since of a promise only the
 * beginning would be measured.
 */
export function cpuMs(run: () => undefined): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * The body of a test that may take 2 s of the processor: the engine reads all hosts in one thread, which may not stand
 * still. The test's own timeout is of wall time, which a loaded machine makes long.
 */
export const soon =
  <Given extends readonly unknown[]>(body: (...given: Given) => undefined) =>
  (...given: Given): void => {
    expect(cpuMs(() => body(...given))).toBeLessThan(SOON_MS);
  };
