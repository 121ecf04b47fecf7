import { vi } from 'vitest';

/**
 * Sets the clock of this process, and with it that of the lab's GitHub, which lives in it: it goes on from there. What Node does of
 * itself, and processes that this one starts, keep the machine's. Returns what sets it back.
 */
export function setOwnClock(aheadMs: number): () => void {
  const Machine = Date;
  class Shifted extends Machine {
    constructor(...given: readonly unknown[]) {
      const [first = Machine.now() + aheadMs, ...rest] = given;
      super(...([first, ...rest] as [number]));
    }
    static override now(): number {
      return Machine.now() + aheadMs;
    }
  }
  vi.stubGlobal('Date', Shifted);
  // by which the lab's GitHub looks at the times of an App's tokens
  const timeOrigin = performance.timeOrigin + aheadMs;
  Object.defineProperty(performance, 'timeOrigin', { value: timeOrigin, configurable: true });
  return () => {
    vi.unstubAllGlobals();
    Reflect.deleteProperty(performance, 'timeOrigin');
  };
}
