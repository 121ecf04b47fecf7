import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';

/** RFC 4254, 5.1: what OpenSSH answers where MaxSessions are open (SSH_OPEN_CONNECT_FAILED), and others may (SSH_OPEN_RESOURCE_SHORTAGE). */
const NO_MORE_SESSIONS: readonly unknown[] = [2, 4];
/**
 * sshd takes an ended session off its count only after it has read all that waits in its socket, so where several end and others
 * begin at once, it refuses one that has a place a moment later. Of a small MaxSessions others may hold all for longer.
 */
const ASK_AGAIN_MS = 50;
const ASK_AGAIN_MAX_MS = 1_000;

export class NoMoreSessions extends Error {
  constructor(waitedMs: number, cause: Error) {
    const seconds = Math.round(waitedMs / 1000);
    super(
      `opened no more sessions for ${seconds} s (see MaxSessions in its sshd_config: 10 by default, 0 allows none)`,
      { cause },
    );
  }
}

/**
 * A channel that runs `command`. One that is refused has run nothing, so it is asked for again, for `waitMs`. Rejects with what
 * ssh2 says, or with `NoMoreSessions`; throws what ssh2 throws when its socket is closed already.
 */
export async function openSession(client: Client, command: string, waitMs: number): Promise<ClientChannel> {
  const end = performance.now() + waitMs;
  for (let pause = ASK_AGAIN_MS; ; pause = Math.min(pause * 2, ASK_AGAIN_MAX_MS)) {
    try {
      return await ask(client, command);
    } catch (error) {
      if (!(error instanceof Error) || !('reason' in error) || !NO_MORE_SESSIONS.includes(error.reason))
        throw error;
      if (performance.now() + pause > end) {
        throw new NoMoreSessions(waitMs, error);
      }
    }
    await sleep(pause);
  }
}

function ask(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });
}
