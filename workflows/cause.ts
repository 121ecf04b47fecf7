/** The `type` of what failed, such as `github-not-found`; undefined where nothing says one. */
export function typeOf(error: unknown): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if ('type' in cause && typeof cause.type === 'string') return cause.type;
  return undefined;
}

/** The sentence of the innermost error: what Temporal wraps around it is nothing for people. */
export function causeOf(error: unknown): string {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause.message : String(cause);
}
