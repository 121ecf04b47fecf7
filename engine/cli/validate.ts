import { parseArgs } from 'node:util';
import { type CheckedRepository, checkRepository, errorsByOwnPolicy } from '../spec/check.ts';
import type { SpecError } from '../spec/manifest.ts';
import { misuse, onlyOne } from './command.ts';
import { readTree, TreeError } from './readTree.ts';
import { counted, type Io, type Paint, painter, printable } from './terminal.ts';

/** `doaas validate PATH [--json]`; `argv` is what follows the command's name. Resolves to the exit status. */
export async function runValidate(argv: readonly string[], io: Io): Promise<number> {
  const args = readArguments(argv);
  try {
    const { files, links } = await readTree(args.path);
    const read = checkRepository(files, { links });
    const checked = { ...read, errors: errorsByOwnPolicy(read) };
    io.stdout.write(args.json ? toJson(checked) : toText(checked, painter(io)));
    return checked.errors.length === 0 ? 0 : 1;
  } catch (error) {
    throw error instanceof TreeError ? misuse('validate', error.message) : error;
  }
}

function readArguments(argv: readonly string[]): { readonly path: string; readonly json: boolean } {
  try {
    const options = { json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
    const path = onlyOne(positionals, 'Give exactly one PATH.');
    return { path, json: values.json === true };
  } catch (error) {
    throw misuse('validate', error instanceof Error ? error.message : String(error));
  }
}

function toJson({ manifest, resolution, errors }: CheckedRepository): string {
  const counts = { documents: manifest.documents.length, servers: resolution.hosts.length };
  const warnings = resolution.warnings ?? [];
  return `${JSON.stringify({ valid: errors.length === 0, ...counts, errors, warnings }, undefined, 2)}\n`;
}

function toText({ manifest, resolution, errors }: CheckedRepository, paint: Paint): string {
  const odd = warningsText(resolution.warnings ?? [], paint);
  if (errors.length > 0) return odd + errorsText(errors, paint);
  const documents = counted(manifest.documents.length, 'document');
  return `${odd}${paint('green', 'Valid:')} ${documents}, ${counted(resolution.hosts.length, 'server')}.\n`;
}

function warningsText(warnings: readonly SpecError[], paint: Paint): string {
  const lines = warnings.map(
    (one) => `${paint('bold', place(one))} ${paint('yellow', 'warning:')} ${printable(one.message)}\n`,
  );
  return lines.join('');
}

export function errorsText(errors: readonly SpecError[], paint: Paint): string {
  const lines = errors.map((error) => `${paint('bold', place(error))} ${printable(error.message)}\n`);
  return `${lines.join('')}${paint('red', `${counted(errors.length, 'error')}.`)}\n`;
}

function place({ position }: SpecError): string {
  return printable(`${position.file}:${position.line}:${position.column}:`);
}
