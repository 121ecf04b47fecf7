import { CliError, EXIT, type Io } from './terminal.ts';

/** One subcommand. What it needs is loaded only when it runs, so that `doaas help` is quick. */
export interface Command {
  readonly name: string;
  /** Without `doaas`. */
  readonly usage: readonly string[];
  /** One line for the overview. */
  readonly summary: string;
  /** For `--help`: what it does, its options and its exit codes. */
  readonly details: string;
  readonly run: (argv: readonly string[], io: Io) => Promise<number>;
}

export function helpOf(command: Command): string {
  const usage = command.usage.map((line, i) => `${i === 0 ? 'Usage:' : '      '} doaas ${line}`);
  return `${usage.join('\n')}\n\n${command.summary}\n\n${command.details.trim()}\n`;
}

/** For wrong arguments: the mistake and where to read on. */
export function misuse(command: string, message: string): CliError {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return new CliError(`${sentence} See: doaas ${command} --help`, EXIT.usage);
}
