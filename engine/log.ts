import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

const MASK = '[redacted]';

/** Properties whose values never reach a log, at any of the depths that pino's wildcards can express. */
const SECRET_KEYS = [
  'token',
  'authorization',
  'secret',
  'password',
  'privateKey',
  'signature',
  'cookie',
] as const;
const SECRET_HEADERS = [
  'authorization',
  'cookie',
  'x-hub-signature',
  'x-hub-signature-256',
  'x-api-key',
] as const;
const REDACTED = [
  ...SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
  ...SECRET_HEADERS.flatMap((name) => [`headers["${name}"]`, `*.headers["${name}"]`]),
];

/**
 * Shapes of credentials in free text: GitHub tokens (ghp_, ghs_, ..., the newer ones with dots), JSON web tokens, PEM keys, age keys,
 * credentials in URLs, Authorization headers. The header of a token is bounded, as looking for its end may begin at any place. Source of the prefixes: GitHub's "About authentication", token formats.
 */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\bgh[pousr]_[A-Za-z0-9._-]{16,}/g, MASK],
  [/\bgithub_pat_[A-Za-z0-9_]{16,}/g, MASK],
  [/\beyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, MASK],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]+/g, MASK],
  [/\bsha(1|256)=[0-9a-f]{40,64}\b/g, `sha$1=${MASK}`],
  [/(\w:\/\/)[^\s/@:]*:[^\s/@]+@/g, `$1${MASK}@`],
  [/\b(bearer|basic) [A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${MASK}`],
];

/** Replaces what looks like a credential. For log lines and error messages, not for content that must stay whole. */
export function redact(text: string): string {
  return SECRET_TEXT.reduce((out, [pattern, replacement]) => out.replace(pattern, replacement), text);
}

/** JSON lines on standard error by default, so that standard output stays free for commands' results. */
export function createLogger(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED, censor: MASK },
      serializers: { err: serializeError, error: serializeError },
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redact },
    },
    destination,
  );
}

/** The parts of an error that help; never its `request` or `response`, which carry headers. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const type = 'type' in error ? error.type : error.name;
  return {
    type,
    message: error.message,
    stack: error.stack,
    cause: error.cause && serializeError(error.cause),
  };
}
