import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A log that never takes more than twice this, bytes: one full file (`.1`) and one being written. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** Kept in memory for error messages. */
const TAIL_LINES = 15;

export interface LogFile {
  readonly path: string;
  readonly write: (chunk: Buffer) => void;
  /** The last lines, for the message when the process died. */
  readonly tail: () => string;
  readonly close: () => void;
}

export function openLogFile(path: string, maxBytes: number = MAX_FILE_BYTES): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  let file = openSync(path, 'w', 0o600);
  let open = true;
  let bytes = 0;
  let last = '';
  return {
    path,
    write: (chunk) => {
      if (!open) return;
      last = (last + chunk.toString())
        .split('\n')
        .slice(-TAIL_LINES - 1)
        .join('\n');
      try {
        if (bytes + chunk.length > maxBytes) {
          closeSync(file);
          open = false;
          renameSync(path, `${path}.1`);
          file = openSync(path, 'w', 0o600);
          open = true;
          bytes = 0;
        }
        bytes += writeSync(file, chunk.subarray(0, maxBytes));
      } catch {
        // a full disk costs lines of a log, never the engine
      }
    },
    tail: () => last.trim(),
    close: () => {
      if (open) closeSync(file);
      open = false;
    },
  };
}
