import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RUN_DIR } from './settings.ts';

/** Longest wait for another process' turn, seconds. Building a base image takes about a minute. */
const LOCK_WAIT_S = 900;

/**
 * Runs `work` while no other process on this machine holds the lock of that name. The lock is flock(2), held by a
 * child that lives as long as its stdin: if this process dies in any way, the kernel gives the lock back.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  await mkdir(RUN_DIR, { recursive: true });
  const file = join(RUN_DIR, `${name}.lock`);
  const holder = spawn('flock', ['-w', String(LOCK_WAIT_S), file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // A Ctrl-C at the terminal must not release the lock while this process still cleans up.
    detached: true,
  });
  holder.stdin.on('error', () => {});
  const held = await Promise.race([
    once(holder.stdout, 'data').then(() => true),
    once(holder, 'exit').then(() => false),
  ]);
  if (!held) throw new Error(`another process held ${file} for ${LOCK_WAIT_S} s; see \`fuser -v ${file}\``);
  try {
    return await work();
  } finally {
    const ended = once(holder, 'exit');
    holder.stdin.end();
    await ended;
  }
}
