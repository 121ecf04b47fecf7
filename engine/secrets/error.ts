/** A secret cannot be had; the sentence names where it should be, never what is there. */
export class SecretError extends Error {
  readonly type = 'secret-unreadable';
  /** It may be there in a moment: its place does not answer, or asks to come again. */
  readonly passing: boolean;

  constructor(message: string, { passing = false }: { readonly passing?: boolean } = {}) {
    super(message);
    this.passing = passing;
  }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}
