/**
 * What can go wrong with the store, as data: callers switch on `type`.
 *
 * - `store-full`: the disk is full; nothing of the failed write is kept. Retry after room was made.
 * - `store-locked`: another process holds it (an engine its file, a transaction its rows). Retry later.
 * - `store-unavailable`: it cannot be opened, reached, read or written at all. Retry later.
 * - `store-version`: its schema was written by a newer engine. Do not retry.
 * - `store-conflict`: the request contradicts what is stored. Do not retry.
 * - `store-bound`: the value is larger than its named bound. Do not retry.
 * - `store-failed`: any other refusal, such as a broken constraint: a defect of the engine. Do not retry.
 */
export type StoreErrorType =
  | 'store-full'
  | 'store-locked'
  | 'store-unavailable'
  | 'store-version'
  | 'store-conflict'
  | 'store-bound'
  | 'store-failed';

export class StoreError extends Error {
  readonly type: StoreErrorType;
  readonly retryable: boolean;

  constructor(type: StoreErrorType, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.type = type;
    this.retryable = type === 'store-full' || type === 'store-locked' || type === 'store-unavailable';
  }
}

const NEXT_STEP: Readonly<
  Record<'store-full' | 'store-locked' | 'store-unavailable' | 'store-failed', string>
> = {
  'store-full':
    'The disk that holds the store is full. Nothing of this write was kept: make room there; the engine then carries on.',
  'store-locked':
    'The store stayed locked by another process. Stop the other writer (a second engine, a backup, a shell), or try again.',
  'store-unavailable':
    'The store cannot be reached, read or written. Check that it is there, its permissions and its disk, or that the PostgreSQL server of DATABASE_URL answers.',
  'store-failed': 'The store refused the request; this is a defect of the engine, please report it.',
};

/** Any error of a driver as a `StoreError`; the driver's own words stay in the message and in `cause`. */
export function toStoreError(error: unknown, where: string): StoreError {
  if (error instanceof StoreError) return error;
  const type = classify(codeOf(error));
  const words = error instanceof Error ? error.message : String(error);
  return new StoreError(type, `${NEXT_STEP[type]} (${where}: ${words})`, error);
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/**
 * SQLite's result codes (https://www.sqlite.org/rescode.html), PostgreSQL's SQLSTATE
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html) and Node's system errors.
 */
function classify(code: string): keyof typeof NEXT_STEP {
  if (FULL.has(code)) return 'store-full';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || LOCKED.has(code))
    return 'store-locked';
  if (/^SQLITE_(IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PERM|AUTH)/.test(code)) return 'store-unavailable';
  // 08: connection; 28: authorization; 3D: no such database; 57P: shutdown; 58: system error; 53: resources.
  if (/^(08...|28...|3D...|57P..|58...|53...)$/.test(code)) return 'store-unavailable';
  if (/^E[A-Z]+$/.test(code) || code === '') return 'store-unavailable';
  return 'store-failed';
}

/** A shared-memory file that cannot grow is how SQLite's WAL meets a full disk first. */
const FULL = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', '53100', 'ENOSPC', 'EDQUOT']);
/** Lock not available, deadlock, serialization failure, statement time limit. */
const LOCKED = new Set(['55P03', '40P01', '40001', '57014']);
