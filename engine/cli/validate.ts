import { parseArgs } from 'node:util';
import { type CheckedRepository, checkRepository } from '../spec/check.ts';
import type { SpecError } from '../spec/manifest.ts';
import { readTree, TreeError } from './readTree.ts';

/** Where a command writes; `process` has this shape. */
export interface Io {
  readonly stdout: { readonly write: (text: string) => unknown; readonly isTTY?: boolean };
  readonly stderr: { readonly write: (text: string) => unknown };
}

const USAGE = `Usage: doaas validate PATH [--json]

Checks the documents of an infrastructure repository in the directory PATH, as \`doaas/validate\` does on a pull
request. Exit status: 0 valid, 1 mistakes found, 2 wrong use.
`;

/** `doaas validate PATH [--json]`; `argv` is what follows the command's name. Resolves to the exit status. */
export async function runValidate(argv: readonly string[], io: Io): Promise<number> {
  const args = readArguments(argv);
  if (args.kind === 'usage') {
    (args.status === 0 ? io.stdout : io.stderr).write(`${args.message}${USAGE}`);
    return args.status;
  }
  try {
    const { files, links } = await readTree(args.path);
    const checked = checkRepository(files, { links });
    io.stdout.write(args.json ? toJson(checked) : toText(checked, io.stdout.isTTY === true));
    return checked.errors.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
}

type Arguments =
  | { readonly kind: 'arguments'; readonly path: string; readonly json: boolean }
  | { readonly kind: 'usage'; readonly status: 0 | 2; readonly message: string };

function readArguments(argv: readonly string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    const [path] = positionals;
    if (values.help) return { kind: 'usage', status: 0, message: '' };
    if (path === undefined || positionals.length > 1) {
      return { kind: 'usage', status: 2, message: 'Give exactly one PATH.\n\n' };
    }
    return { kind: 'arguments', path, json: values.json === true };
  } catch (error) {
    return {
      kind: 'usage',
      status: 2,
      message: `${error instanceof Error ? error.message : String(error)}\n\n`,
    };
  }
}

function toJson({ manifest, resolution, errors }: CheckedRepository): string {
  const counts = { documents: manifest.documents.length, servers: resolution.hosts.length };
  return `${JSON.stringify({ valid: errors.length === 0, ...counts, errors }, undefined, 2)}\n`;
}

function toText({ manifest, resolution, errors }: CheckedRepository, colours: boolean): string {
  const servers = counted(resolution.hosts.length, 'server');
  if (errors.length === 0) {
    const documents = counted(manifest.documents.length, 'document');
    return `${paint(colours, GREEN, 'Valid:')} ${documents}, ${servers}.\n`;
  }
  const lines = errors.map((error) => `${paint(colours, BOLD, place(error))} ${printable(error.message)}`);
  return `${lines.join('\n')}\n${paint(colours, RED, `${counted(errors.length, 'error')}.`)}\n`;
}

function place({ position }: SpecError): string {
  return printable(`${position.file}:${position.line}:${position.column}:`);
}

/** File names and values are the user's: control characters must not reach the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\u{fffd}');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const RED = 31;
const GREEN = 32;
const BOLD = 1;

function paint(colours: boolean, code: number, text: string): string {
  return colours ? `\u001b[${code}m${text}\u001b[0m` : text;
}
