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

/** Of the commands that look at servers. */
export const ONE_PATH = 'Give one PATH, the root of the repository, such as `.`.';

/** The one argument of a command. Throws what is `asked` where there is none, or more. */
export function onlyOne([given, ...rest]: readonly string[], asked: string): string {
  if (given === undefined || rest.length > 0) throw new Error(asked);
  return given;
}

/** For wrong arguments: the mistake and where to read on. */
export function misuse(command: string, message: string): CliError {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return new CliError(`${sentence} See: doaas ${command} --help`, EXIT.usage);
}
