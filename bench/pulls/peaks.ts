import { readdir } from 'node:fs/promises';
import { childrenOf, memoryOf } from '../processes.ts';

/** The most that a process had while it was watched. */
export interface Peaks {
  /** Resident, MB (10^6 bytes), as the kernel counted it. */
  readonly rss: number;
  /** Open files, of which sockets are the most. */
  readonly files: number;
  /** Processes that it started and that ran at the same time, without the Temporal server. */
  readonly processes: number;
}

export interface Watch {
  /** Looks once more, and tells the most so far. */
  readonly look: () => Promise<Peaks>;
  /** As of the last look. */
  readonly peaks: () => Peaks;
  readonly stop: () => void;
}

const LOOK_EVERY_MS = 500;

/** Looks at a process until it is stopped; one that has ended stays at its peaks. `beside`: a child that does not count. */
export function watchProcess(pid: number, beside?: number): Watch {
  let peaks: Peaks = { rss: 0, files: 0, processes: 0 };
  const look = async (): Promise<void> => {
    const [memory, files, children] = await Promise.all([
      memoryOf(pid),
      readdir(`/proc/${pid}/fd`),
      childrenOf(pid),
    ]);
    peaks = {
      rss: Math.max(peaks.rss, memory.peak),
      files: Math.max(peaks.files, files.length),
      processes: Math.max(peaks.processes, children.filter((child) => child !== beside).length),
    };
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(() => undefined)
      .finally(() => {
        looking = false;
      });
  }, LOOK_EVERY_MS);
  return {
    look: () => look().then(() => peaks),
    peaks: () => peaks,
    stop: () => clearInterval(timer),
  };
}
