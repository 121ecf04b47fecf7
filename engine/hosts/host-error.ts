import type { RunResult } from './session.ts';

export type HostErrorType =
  | 'unreachable'
  | 'host-key-mismatch'
  | 'host-key-unknown'
  | 'credentials-unusable'
  | 'auth-failed'
  | 'sudo-refused'
  | 'shell-unusable'
  | 'connection-lost'
  | 'forwarding-forbidden'
  | 'port-closed'
  | 'timed-out'
  | 'cancelled';

const RETRYABLE: readonly HostErrorType[] = ['unreachable', 'connection-lost', 'timed-out', 'port-closed'];

export interface HostErrorDetails {
  /** True when a script may have run, wholly or in part: read facts before anything else. */
  readonly ambiguous?: boolean;
  /** What a script printed before it was cut. */
  readonly partial?: RunResult;
  /** Of `port-closed`: what the host says of the connection, such as `Connection refused`. */
  readonly problem?: string;
  readonly cause?: unknown;
}

/** Everything that can go wrong between the engine and one host. The message is a sentence for people. */
export class HostError extends Error {
  readonly type: HostErrorType;
  readonly host: string;
  readonly retryable: boolean;
  readonly ambiguous: boolean;
  readonly partial: RunResult | undefined;
  readonly problem: string | undefined;

  constructor(type: HostErrorType, host: string, message: string, details: HostErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HostError';
    this.type = type;
    this.host = host;
    this.retryable = RETRYABLE.includes(type);
    this.ambiguous = details.ambiguous ?? false;
    this.partial = details.partial;
    this.problem = details.problem;
  }
}

const EXCERPT_MAX = 300;
/** A host may send megabytes. Characters. */
const LOOKED_AT_MAX = 8_192;

/** Untrusted host output as one printable line for a message. */
export function excerpt(text: string): string {
  const line = text
    .slice(0, LOOKED_AT_MAX)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return line.length > EXCERPT_MAX
    ? `${line.slice(0, EXCERPT_MAX).replace(/[\ud800-\udbff]$/, '')}...`
    : line;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
