const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** `5m` is 300. The schema has checked the shape. */
export function durationSeconds(text: string): number {
  const match = /^([0-9]+)(ms|s|m|h)$/.exec(text);
  return match === null ? 0 : Number(match[1]) * (SECONDS[match[2] ?? ''] ?? 0);
}

/** Longest that a probe may be waited for, and that a script may run, seconds. */
export const MAX_WAIT_SECONDS = 3600;
/** Shortest pause between two tries of a probe, seconds. */
export const MIN_EVERY_SECONDS = 0.1;

export const DEFAULT_WITHIN_SECONDS = 30;
export const DEFAULT_EVERY_SECONDS = 1;
export const DEFAULT_SCRIPT_SECONDS = 300;
