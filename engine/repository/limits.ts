/** Upper bound of what git does on this machine alone. */
export const LOCAL_TIMEOUT_MS = 60_000;
