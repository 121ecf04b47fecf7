import { refText, type SecretRef } from '../spec/secrets.ts';
import { decryptAge, parseEntries } from './age.ts';
import { SecretError } from './error.ts';
import { readSecretFile } from './file.ts';
import { openUnsealing, type Unsealing } from './unseal.ts';
import { checkedValue } from './value.ts';
import { readVault, type VaultAccess } from './vault.ts';

/** Where this process finds secrets. */
export interface SecretPlaces {
  /** Only names that begin with DOAAS_SECRET_ are looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string | undefined;
  /** Of age, the current one first. */
  readonly ageKeys: readonly string[];
  readonly vault: VaultAccess | undefined;
  /** Of fingerprints, 32 bytes. */
  readonly fingerprintKey: Uint8Array;
}

/** Contents of the repository by their sha256 (hex). */
export type ContentOf = (sha256: string) => Promise<Uint8Array | undefined>;

export interface Secrets {
  /** For one piece of work: what is read once stays in memory until it is let go. */
  readonly open: (contentOf: ContentOf) => Unsealing;
}

export function createSecrets(places: SecretPlaces): Secrets {
  return {
    open: (contentOf) =>
      openUnsealing(places.fingerprintKey, async (ref) =>
        checkedValue(await read(places, ref, contentOf), `the secret ${refText(ref)}`),
      ),
  };
}

async function read(places: SecretPlaces, ref: SecretRef, contentOf: ContentOf): Promise<string> {
  switch (ref.from) {
    case 'env':
      return readEnvironment(places.environment, ref.name);
    case 'file':
      return readSecretFile(places.folder, ref.path);
    case 'vault':
      return readVault(places.vault, ref.path, ref.key);
    case 'age': {
      const bytes = await contentOf(ref.sha256);
      if (bytes === undefined)
        throw new SecretError(`${ref.path} as it was planned is not in the store; plan again`);
      const entries = parseEntries(await decryptAge(bytes, places.ageKeys, ref.path), ref.path);
      const value = entries.get(ref.key);
      if (value === undefined) throw new SecretError(`${ref.path} has no "${ref.key}"`);
      return value;
    }
  }
}

function readEnvironment(environment: SecretPlaces['environment'], name: string): string {
  const variable = `DOAAS_SECRET_${name}`;
  const value = environment[variable];
  if (value === undefined)
    throw new SecretError(`the environment variable ${variable} is not set for the engine`);
  return value;
}
