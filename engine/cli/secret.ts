import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loadLocalConfig } from '../config/config.ts';
import { messageOf } from '../hosts/host-error.ts';
import { decryptAge, encryptAge, newAgeKey, parseEntries, recipientOf } from '../secrets/age.ts';
import { reasonOf } from '../secrets/error.ts';
import { ageKeysOf } from '../secrets/fromConfig.ts';
import { misuse } from './command.ts';
import { editText, NotStored } from './editor.ts';
import {
  ageFiles,
  findRecipients,
  RECIPIENTS,
  type Recipients,
  readIfThere,
  replaceFile,
  writeBeside,
} from './secretFiles.ts';
import { CliError, EXIT, type Io, printable } from './terminal.ts';

/** `doaas secret keygen | edit FILE | rotate [PATH]`. */
export async function runSecret(argv: readonly string[], io: Io): Promise<number> {
  const [verb, ...rest] = argv;
  const path = parsePath(rest);
  switch (verb) {
    case 'keygen':
      if (path !== undefined) throw misuse('secret', 'keygen takes no arguments.');
      return keygen(io);
    case 'edit':
      if (path === undefined) throw misuse('secret', 'Say which FILE to edit, such as secrets/app.age.');
      return edit(path, io);
    case 'rotate':
      return rotate(path ?? '.', io);
    default:
      throw misuse('secret', 'Say what to do: keygen, edit FILE or rotate [PATH].');
  }
}

function parsePath(argv: readonly string[]): string | undefined {
  try {
    const { positionals } = parseArgs({ args: [...argv], options: {}, allowPositionals: true });
    if (positionals.length > 1) throw new Error('That is one argument too many.');
    return positionals[0];
  } catch (error) {
    throw misuse('secret', messageOf(error));
  }
}

/** The form of age-keygen, so that both tools read it. */
async function keygen(io: Io): Promise<number> {
  const { identity, recipient } = await newAgeKey();
  io.stdout.write(`# public key: ${recipient}\n${identity}\n`);
  io.stderr.write(
    `Keep the line AGE-SECRET-KEY-1... for the engine only (DOAAS_AGE_KEY_FILE); add the public key to ${RECIPIENTS}.\n`,
  );
  return EXIT.done;
}

async function edit(path: string, io: Io): Promise<number> {
  if (!path.endsWith('.age'))
    throw new CliError(`${printable(path)} must end in .age, such as secrets/app.age.`);
  const { recipients } = await findRecipients(dirname(path));
  const keys = ownKeys();
  const before = await readIfThere(path);
  const text = before === undefined ? EMPTY : await decryptAge(before, keys, path);
  const take = async (after: string): Promise<'same' | 'written' | CliError> => {
    parseEntries(after, path);
    return after === text ? 'same' : await write(path, await encryptAge(after, recipients), before);
  };
  const end = await editText(text, take, io);
  if (end instanceof CliError) throw end;
  if (end === 'same') {
    io.stdout.write(`${printable(path)} is as it was.\n`);
    return EXIT.done;
  }
  io.stdout.write(`${printable(path)} is encrypted for ${people(recipients)}. Commit it.\n`);
  await warnIfLockedOut(keys, recipients, io);
  return EXIT.done;
}

/** Throws `NotStored`, with all as it was. */
async function write(
  path: string,
  sealed: string,
  before: Buffer | undefined,
): Promise<'written' | CliError> {
  try {
    await mkdir(dirname(path), { recursive: true });
    if (await replaceFile(path, sealed, before)) return 'written';
    return changedMeanwhile(path, await writeBeside(path, sealed));
  } catch (error) {
    if (error instanceof CliError) throw new NotStored(error.message);
    throw new NotStored(`${printable(path)} cannot be written (${reasonOf(error)}).`);
  }
}

function changedMeanwhile(path: string, beside: string): CliError {
  return new CliError(
    `${printable(path)} was changed while it was edited, such as by a git pull, and stays as it is now. What you typed is in ${printable(beside)}, encrypted: put what you need of it into the file with \`doaas secret edit\`, then remove it.`,
  );
}

const EMPTY = '# One line for each secret, such as:\n# database-password: "..."\n';

interface Fresh {
  readonly path: string;
  readonly before: Buffer;
  readonly text: string;
  readonly to: Recipients;
}

/** Each for its nearest recipients, as `edit` does. All are decrypted before the first is written. */
async function rotate(folder: string, io: Io): Promise<number> {
  const { root } = await findRecipients(folder);
  const keys = ownKeys();
  const files = await ageFiles(folder);
  if (files.length === 0) throw new CliError(`There is no *.age file in ${printable(folder)}.`);
  const fresh: Fresh[] = [];
  for (const path of files) {
    const to = await findRecipients(dirname(path));
    const before = await readFile(path);
    const text = await encryptAge(await decryptAge(before, keys, relative(root, path)), to.recipients);
    fresh.push({ path, before, text, to });
  }
  for (const { path, before, text } of fresh)
    if (!(await replaceFile(path, text, before)))
      throw new CliError(`${printable(path)} was changed meanwhile, and stays as it is now; rotate again.`);
  const nearest = new Map(fresh.map(({ to }) => [relative(root, join(to.root, RECIPIENTS)), to]));
  for (const [place, to] of nearest) {
    const paths = fresh.filter((one) => one.to.root === to.root).map(({ path }) => relative(root, path));
    io.stdout.write(
      `${paths.length} ${paths.length === 1 ? 'file is' : 'files are'} encrypted anew for ${people(to.recipients, place)}: ${paths.map(printable).join(', ')}\n`,
    );
    await warnIfLockedOut(keys, to.recipients, io, place);
  }
  io.stdout.write(
    'Who could read them before still knows what they held: change the secrets themselves if somebody left.\n',
  );
  return EXIT.done;
}

function ownKeys(): readonly string[] {
  return ageKeysOf(loadLocalConfig(process.env));
}

function people(recipients: readonly string[], place = RECIPIENTS): string {
  return `${recipients.length} ${recipients.length === 1 ? 'key' : 'keys'} of ${printable(place)}`;
}

/** Whoever encrypts for others only cannot edit the file again. */
async function warnIfLockedOut(
  keys: readonly string[],
  recipients: readonly string[],
  io: Io,
  place = RECIPIENTS,
): Promise<void> {
  const [current] = keys;
  if (current === undefined || recipients.includes(await recipientOf(current))) return;
  io.stderr.write(
    `The key of DOAAS_AGE_KEY is not in ${printable(place)}: with it, this can no longer be read.\n`,
  );
}
