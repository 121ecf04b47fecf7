import { main } from './main.ts';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command as `doaas ARGUMENTS` does, and keeps what it writes. */
export async function doaas(argv: readonly string[], isTTY = false): Promise<Result> {
  const written = { stdout: '', stderr: '' };
  const status = await main(argv, {
    stdout: { isTTY, write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
  });
  return { status, ...written };
}
