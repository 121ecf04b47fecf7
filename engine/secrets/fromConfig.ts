import type { Environment, LocalConfig } from '../config/config.ts';
import { derivedKey } from './fingerprintKey.ts';
import { createSecrets, type Secrets } from './secrets.ts';

type Settings = Pick<
  LocalConfig,
  | 'ageKey'
  | 'ageKeyPrevious'
  | 'secretsDir'
  | 'vaultAddr'
  | 'vaultToken'
  | 'vaultNamespace'
  | 'fingerprintKey'
>;

/** `ownKey` gives the key of fingerprints where no setting does. */
export async function secretsFrom(
  config: Settings,
  environment: Environment,
  ownKey: () => Promise<Uint8Array>,
): Promise<Secrets> {
  const { fingerprintKey, secretsDir: folder } = config;
  return createSecrets({
    environment,
    folder,
    ageKeys: ageKeysOf(config),
    vault: vaultOf(config),
    fingerprintKey: fingerprintKey === undefined ? await ownKey() : derivedKey(fingerprintKey.reveal()),
  });
}

export function ageKeysOf({ ageKey, ageKeyPrevious }: Pick<Settings, 'ageKey' | 'ageKeyPrevious'>) {
  return [ageKey, ageKeyPrevious].flatMap((key) => (key === undefined ? [] : [key.reveal()]));
}

function vaultOf({ vaultAddr: address, vaultToken, vaultNamespace: namespace }: Settings) {
  if (address === undefined || vaultToken === undefined) return undefined;
  return { address, token: vaultToken.reveal(), namespace };
}
