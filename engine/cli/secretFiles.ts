import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { CliError } from './terminal.ts';

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
    const text = await readFile(join(at, RECIPIENTS), 'utf8').catch(() => undefined);
    if (text !== undefined) return { root: at, recipients: parseRecipients(text) };
    if (dirname(at) === at)
      throw new CliError(
        `There is no ${RECIPIENTS} in ${folder} or above it. Make it with one public key (age1...) a line: the engine's, as \`doaas secret keygen\` prints it, and those of the people who edit secrets.`,
      );
  }
}

function parseRecipients(text: string): readonly string[] {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  const wrong = lines.find((line) => !/^age1[a-z0-9]{50,}$/.test(line));
  if (wrong !== undefined)
    throw new CliError(
      /^AGE-SECRET-KEY/i.test(wrong)
        ? `${RECIPIENTS} holds a private key. Take it out, and make a new one: it is known to all who can read the repository.`
        : `${RECIPIENTS} holds "${wrong.slice(0, 20)}", which is not a public key of age (age1...).`,
    );
  if (lines.length === 0)
    throw new CliError(`${RECIPIENTS} names nobody; give one public key (age1...) a line.`);
  return [...new Set(lines)];
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

/** All of it or nothing, also when this is cut. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  await writeFile(next, text, { flush: true });
  await rename(next, path);
}
