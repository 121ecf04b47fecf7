import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '../hosts/credentials.ts';

const KEY_NAMES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** What the command line logs in with: DOAAS_SSH_KEY_FILE, as the engine does; else the keys that `ssh` would offer and the agent. */
export function ownCredentials(env: NodeJS.ProcessEnv = process.env): Credentials {
  const { SSH_AUTH_SOCK: agentSocket, DOAAS_SSH_KEY_FILE: keyFile } = env;
  const own = KEY_NAMES.map((name) => join(homedir(), '.ssh', name)).filter((path) => existsSync(path));
  return {
    kind: 'credentials',
    keys: (keyFile ? [keyFile] : own).map((path) => ({ kind: 'key-file', path })),
    ...(agentSocket ? { agentSocket } : {}),
  };
}
