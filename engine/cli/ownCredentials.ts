import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { addresses } from '../config/parsers.ts';
import { authorityFrom, type Credentials } from '../hosts/credentials.ts';
import { messageOf } from '../hosts/host-error.ts';

const KEY_NAMES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** What the command line logs in with: the settings of the engine; without them the keys that `ssh` would offer, and the agent. */
export function ownCredentials(env: NodeJS.ProcessEnv = process.env): Credentials {
  const { SSH_AUTH_SOCK: agentSocket, DOAAS_SSH_KEY_FILE: keyFile, DOAAS_SSH_CA_KEY_FILE: caFile } = env;
  const given = keyFile || caFile ? [] : ownKeys();
  return {
    kind: 'credentials',
    keys: (keyFile ? [keyFile] : given).map((path) => ({ kind: 'key-file', path })),
    ...(agentSocket ? { agentSocket } : {}),
    ...(caFile ? { authority: authorityFrom(caFile, sourcesOf(env)) } : {}),
  };
}

function ownKeys(): readonly string[] {
  return KEY_NAMES.map((name) => join(homedir(), '.ssh', name)).filter((path) => existsSync(path));
}

function sourcesOf({
  DOAAS_SSH_CERTIFICATE_SOURCES: text,
}: NodeJS.ProcessEnv): readonly string[] | undefined {
  try {
    return text ? addresses(text) : undefined;
  } catch (error) {
    throw new Error(`DOAAS_SSH_CERTIFICATE_SOURCES: ${messageOf(error)}.`);
  }
}
