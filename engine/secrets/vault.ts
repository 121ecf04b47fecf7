import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf, SecretError } from './error.ts';

export interface VaultAccess {
  /** Without a slash at its end. */
  readonly address: string;
  readonly token: string;
  readonly namespace?: string | undefined;
  /** How long one call may take, with its whole answer; left out, 10 seconds. ms. */
  readonly callMs?: number;
}

const CALL_MS_MAX = 10_000;
const TRIES = 3;
const PAUSE_MS = 300;
/** Of a whole answer; Vault's own bound of an entry is 512 KiB (its storage limits). Bytes. */
const ANSWER_MAX_BYTES = 1024 * 1024;

/** One value of a KV version 2 entry: GET /v1/MOUNT/data/PATH (HashiCorp, "KV secrets engine - version 2 (API)"). */
export async function readVault(access: VaultAccess | undefined, path: string, key: string): Promise<string> {
  if (access === undefined)
    throw new SecretError(`Vault ${path} needs VAULT_ADDR and VAULT_TOKEN, which are not both set`);
  const answer = await patiently(() => get(access, path), path);
  const data = fieldOf(fieldOf(answer, 'data'), 'data');
  if (data === undefined || data === null)
    throw new SecretError(`Vault ${path} has no current version (it was deleted)`);
  const value = fieldOf(data, key);
  if (value === undefined) throw new SecretError(`Vault ${path} has no "${key}"`);
  if (typeof value !== 'string') throw new SecretError(`Vault ${path}: "${key}" is not text`);
  return value;
}

/** What may pass is tried again: an answer of a standby, a leader that changes. */
class Passing extends SecretError {}

async function patiently<T>(call: () => Promise<T>, path: string): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      if (tries >= TRIES)
        throw new SecretError(`Vault ${path} cannot be read: ${error.message}`, { passing: true });
      await sleep(PAUSE_MS * tries);
    }
  }
}

/** A redirect would carry the token elsewhere. */
async function get(
  { address, token, namespace, callMs = CALL_MS_MAX }: VaultAccess,
  path: string,
): Promise<unknown> {
  const response = await fetch(`${address}/v1/${path}`, {
    headers: {
      'x-vault-token': token,
      ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    },
    redirect: 'manual',
    signal: AbortSignal.timeout(callMs),
  }).catch((error: unknown) => {
    throw new Passing(`VAULT_ADDR does not answer (${causeOf(error)})`);
  });
  const { status } = response;
  if (status === 404) throw new SecretError(`Vault has nothing at ${path} (or VAULT_TOKEN may not see it)`);
  if (status === 403)
    throw new SecretError(`Vault ${path}: VAULT_TOKEN may not read it, or is no longer valid`);
  if (status === 429 || status >= 500) throw new Passing(`it answered ${status}`);
  if (status !== 200) throw new SecretError(`Vault ${path} cannot be read: it answered ${status}`);
  return json(await wholeBody(response, path), path);
}

/** What breaks off may be whole the next time. */
async function wholeBody(response: Response, path: string): Promise<string> {
  try {
    return await bounded(response, path);
  } catch (error) {
    throw error instanceof SecretError ? error : new Passing(`its answer was cut short (${causeOf(error)})`);
  }
}

/** `fetch` hides what happened behind an error of its own. */
function causeOf(error: unknown): string {
  return reasonOf(error instanceof Error ? (error.cause ?? error) : error);
}

async function bounded(response: Response, path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > ANSWER_MAX_BYTES)
      throw new SecretError(`Vault ${path} cannot be read: the answer is too large`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function json(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SecretError(
      `Vault ${path} cannot be read: what answers at VAULT_ADDR does not speak Vault's API`,
    );
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
