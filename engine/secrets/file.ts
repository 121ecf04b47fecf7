import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, SecretError } from './error.ts';
import { decoded, SECRET_MAX_BYTES } from './value.ts';

/** Bits of a mode that let others than the owner write, or do anything. */
const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;

/**
 * A file below the folder, without the newline at its end. Nothing on the way may be a link or belong to somebody
 * else, so that whoever can write one name there cannot choose what is read.
 */
export async function readSecretFile(folder: string | undefined, path: string): Promise<string> {
  if (folder === undefined)
    throw new SecretError(`the secret file ${path} needs DOAAS_SECRETS_DIR, which is not set`);
  const where = `the secret file ${path} in DOAAS_SECRETS_DIR`;
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part.startsWith('.')))
    throw new SecretError(`${where} has a name that is not allowed`);
  const folders = parts.map((_, n) => join(folder, ...parts.slice(0, n)));
  try {
    for (const each of folders) await checkFolder(each, where);
    const file = await open(
      join(folder, path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      return decoded(await contentOf(file, where), where).replace(/\r?\n$/, '');
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof SecretError
      ? error
      : new SecretError(`${where} cannot be read (${reasonOf(error)})`);
  }
}

async function checkFolder(folder: string, where: string): Promise<void> {
  const { mode, uid } = await lstat(folder);
  if ((mode & constants.S_IFMT) !== constants.S_IFDIR)
    throw new SecretError(`${where} is not reached through plain folders; links are not followed`);
  if (!isOurs(uid) || (mode & WRITABLE_BY_OTHERS) !== 0)
    throw new SecretError(`${where} lies in a folder that others than the engine's user can write to`);
}

async function contentOf(file: FileHandle, where: string): Promise<Uint8Array> {
  const { mode, uid, size } = await file.stat();
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new SecretError(`${where} is not a plain file`);
  if (!isOurs(uid) || (mode & OPEN_TO_OTHERS) !== 0)
    throw new SecretError(`${where} can be read by others than the engine's user; chmod 600 it`);
  if (size > SECRET_MAX_BYTES)
    throw new SecretError(
      `${where} is larger than the ${SECRET_MAX_BYTES / 1024} KiB that a secret may have`,
    );
  const buffer = Buffer.alloc(SECRET_MAX_BYTES);
  const { bytesRead } = await file.read(buffer, 0, SECRET_MAX_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

function isOurs(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
