import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isRecipient } from '../secrets/age.ts';
import { reasonOf } from '../secrets/error.ts';
import { CliError, printable } from './terminal.ts';

/** Where a repository says to whom its secrets are encrypted: one age1... a line. */
export const RECIPIENTS = '.doaas/recipients';

export interface Recipients {
  /** Root of the repository. */
  readonly root: string;
  readonly recipients: readonly string[];
}

/** From the folder upwards, as git looks for .git. */
export async function findRecipients(folder: string): Promise<Recipients> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, RECIPIENTS);
    const bytes = await readIfThere(path);
    if (bytes !== undefined) return { root: at, recipients: parseRecipients(bytes.toString('utf8'), path) };
    if (dirname(at) === at)
      throw new CliError(
        `There is no ${RECIPIENTS} in ${folder} or above it. Make it with one public key (age1...) a line: the engine's, as \`doaas secret keygen\` prints it, and those of the people who edit secrets.`,
      );
  }
}

/** Errors say the line, before anybody types a secret that could not be encrypted then. */
function parseRecipients(text: string, path: string): readonly string[] {
  const lines = text
    .split('\n')
    .map((line, n) => ({ key: line.replace(/#.*/, '').trim(), place: `${printable(path)}:${n + 1}` }))
    .filter(({ key }) => key !== '');
  for (const { key, place } of lines) {
    if (/^AGE-SECRET-KEY/i.test(key))
      throw new CliError(
        `${place} holds a private key. Take it out, and make a new one: it is known to all who can read the repository.`,
      );
    if (!isRecipient(key))
      throw new CliError(
        `${place} has "${printable(key.slice(0, 20))}", which is no public key of age (age1...), or a mistyped one; copy it anew.`,
      );
  }
  if (lines.length === 0)
    throw new CliError(`${printable(path)} names nobody; give one public key (age1...) a line.`);
  return [...new Set(lines.map(({ key }) => key))];
}

/** Every *.age file below the folder, sorted; nothing in .git, no links. */
export async function ageFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.age'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(folder, path).split('/').includes('.git'))
    .sort();
}

/** Undefined where there is none; whatever cannot be read is an error, so that nobody takes it for that. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = reasonOf(error);
    if (code === 'ENOENT') return undefined;
    throw new CliError(`${printable(path)} cannot be read (${code}).`);
  }
}

/**
 * All of it or nothing, also when this is cut. False, with the file as somebody else left it, where it does not hold
 * `before` any more; undefined stands for no file.
 */
export async function replaceFile(path: string, text: string, before: Buffer | undefined): Promise<boolean> {
  const next = `${path}.new`;
  try {
    await writeFile(next, text, { flush: true });
    const isOurs = isSame(await readIfThere(path), before);
    if (isOurs) await rename(next, path);
    return isOurs;
  } finally {
    await rm(next, { force: true }).catch(() => undefined);
  }
}

function isSame(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

/** Of one file. */
const BESIDE_MAX = 100;

/** Writes the text beside the file `NAME.age`, and gives its path: the first of `NAME.edited-1.age` ... that is free. */
export async function writeBeside(path: string, text: string): Promise<string> {
  for (let n = 1; n <= BESIDE_MAX; n += 1) {
    const beside = path.replace(/\.age$/, `.edited-${n}.age`);
    try {
      await writeFile(beside, text, { flag: 'wx', flush: true });
      return beside;
    } catch (error) {
      if (reasonOf(error) !== 'EEXIST') throw error;
    }
  }
  throw new CliError(`There are ${BESIDE_MAX} files like ${printable(path)}; remove some.`);
}
