import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../hosts/host-error.ts';
import { CliError, type Io } from './terminal.ts';

/** In memory where the system has that, so that no disk keeps what was edited. */
const MEMORY = '/dev/shm';

/** What was typed is right, but could not be stored: the same text may be stored later. */
export class NotStored extends CliError {}

/**
 * Lets the user edit a text in $VISUAL or $EDITOR, again while `take` throws, and gives what that made of it. The file is for
 * the user only, and is removed in any case, also when a signal ends this program.
 */
export async function editText<T>(text: string, take: (text: string) => Promise<T>, io: Io): Promise<T> {
  const base = await access(MEMORY).then(
    () => MEMORY,
    () => tmpdir(),
  );
  const folder = await mkdtemp(join(base, 'doaas-edit-'));
  const file = join(folder, 'secrets.yaml');
  const forget = removedOnSignal(folder);
  try {
    await writeFile(file, text, { mode: 0o600 });
    for (let before: string | undefined; ; ) {
      await runEditor(file);
      const after = await readFile(file, 'utf8');
      try {
        return await take(after);
      } catch (error) {
        const problem = messageOf(error).replace(/\.?$/, '.');
        const isStorable = error instanceof NotStored;
        if (!isStorable && after === before) throw new CliError(`${problem} Nothing was written.`);
        before = after;
        const giveUp = isStorable
          ? 'end it with an error, such as by :cq in vi,'
          : 'leave it without a change';
        io.stderr.write(`${problem} The editor opens again; ${giveUp} to give up.\n`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    forget();
  }
}

const ENDING = ['SIGTERM', 'SIGHUP'] as const;

/** A Ctrl-C is the editor's own business, as with git; what else ends this program takes the folder along. */
function removedOnSignal(folder: string): () => void {
  const ignore = (): void => undefined;
  const end = (signal: NodeJS.Signals): void => {
    rmSync(folder, { recursive: true, force: true });
    forget();
    process.kill(process.pid, signal);
  };
  const forget = (): void => {
    process.off('SIGINT', ignore);
    for (const signal of ENDING) process.off(signal, end);
  };
  process.on('SIGINT', ignore);
  for (const signal of ENDING) process.on(signal, end);
  return forget;
}

/** The setting may hold arguments, as git allows: `code --wait`. */
async function runEditor(file: string): Promise<void> {
  const editor = process.env.VISUAL || process.env.EDITOR || 'vi';
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'editor', file], { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new CliError(`The editor (${editor}) ended with ${code}; nothing was written.`);
}
