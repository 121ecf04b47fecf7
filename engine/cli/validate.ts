import { parseArgs } from 'node:util';
import { type CheckedRepository, checkRepository } from '../spec/check.ts';
import type { SpecError } from '../spec/manifest.ts';
import { readTree, TreeError } from './readTree.ts';
import { counted, type Io, type Paint, painter, printable } from './terminal.ts';

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
    io.stdout.write(args.json ? toJson(checked) : toText(checked, painter(io)));
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

function toText({ manifest, resolution, errors }: CheckedRepository, paint: Paint): string {
  if (errors.length > 0) return errorsText(errors, paint);
  const documents = counted(manifest.documents.length, 'document');
  return `${paint('green', 'Valid:')} ${documents}, ${counted(resolution.hosts.length, 'server')}.\n`;
}

export function errorsText(errors: readonly SpecError[], paint: Paint): string {
  const lines = errors.map((error) => `${paint('bold', place(error))} ${printable(error.message)}\n`);
  return `${lines.join('')}${paint('red', `${counted(errors.length, 'error')}.`)}\n`;
}

function place({ position }: SpecError): string {
  return printable(`${position.file}:${position.line}:${position.column}:`);
}
