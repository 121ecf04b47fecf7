import { nearestName } from '../spec/nearest.ts';
import { ownVersion } from '../version.ts';
import { type Command, helpOf } from './command.ts';
import { commands } from './commands.ts';
import { EXIT, type Io } from './terminal.ts';

/** `doaas COMMAND ...`; resolves to the exit status. Every failure is a sentence on stderr. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined) return usage(io);
    if (name === '--version' || name === '-V' || name === 'version') return await version(io);
    if (name === 'help' || name === '--help' || name === '-h') return help(rest[0], io);
    const command = commands.find((candidate) => candidate.name === name);
    if (command === undefined) return unknown(name, io);
    if (asksForHelp(command, rest)) return help(name, io);
    return await command.run(rest, io);
  } catch (error) {
    io.stderr.write(`doaas: ${sentence(error)}\n`);
    return exitOf(error);
  }
}

/** `lab ssh NAME COMMAND --help` asks the remote command. */
function asksForHelp(command: Command, argv: readonly string[]): boolean {
  const own = command.name === 'lab' && argv[0] === 'ssh' ? argv.slice(1, 2) : argv;
  return own.includes('--help') || own.includes('-h');
}

function usage(io: Io): number {
  io.stderr.write(overview());
  return EXIT.usage;
}

function help(name: string | undefined, io: Io): number {
  if (name === undefined) {
    io.stdout.write(overview());
    return EXIT.done;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) return unknown(name, io);
  io.stdout.write(helpOf(command));
  return EXIT.done;
}

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `Usage: doaas COMMAND ...\n\n${lines.join('\n')}\n\n\`doaas COMMAND --help\` says more; \`doaas --version\` names the version. Settings: docs/configuration.md\n`;
}

function unknown(name: string, io: Io): number {
  const nearest = nearestName(name, [...commands.map((command) => command.name), 'help']);
  const meant = nearest === undefined ? '.' : `; did you mean \`doaas ${nearest}\`?`;
  io.stderr.write(`doaas: there is no command ${JSON.stringify(name)}${meant} \`doaas help\` lists all.\n`);
  return EXIT.usage;
}

async function version(io: Io): Promise<number> {
  io.stdout.write(`doaas ${await ownVersion()}\n`);
  return EXIT.done;
}

/** The stack helps only who mends doaas itself: DOAAS_LOG_LEVEL=debug shows it. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return process.env.DOAAS_LOG_LEVEL === 'debug' ? (error.stack ?? error.message) : error.message;
}

function exitOf(error: unknown): number {
  const known = typeof error === 'object' && error !== null && 'exit' in error ? error.exit : undefined;
  return typeof known === 'number' ? known : EXIT.failed;
}
