import * as parse from './parsers.ts';
import { optional } from './setting.ts';

/** Where secrets are, and what tells them apart. */
export const secrets = {
  ageKey: optional(parse.ageKey, {
    name: 'DOAAS_AGE_KEY',
    group: 'secrets',
    secret: true,
    description:
      'Key that decrypts the *.age files of repositories: AGE-SECRET-KEY-1..., as `doaas secret keygen` makes it.',
  }),
  ageKeyPrevious: optional(parse.ageKey, {
    name: 'DOAAS_AGE_KEY_PREVIOUS',
    group: 'secrets',
    secret: true,
    description: 'The key before that one, still tried. Keep it until every file has been encrypted again.',
  }),
  secretsDir: optional(parse.path, {
    name: 'DOAAS_SECRETS_DIR',
    group: 'secrets',
    description:
      'Folder of the files that `secretRef: {file: NAME}` names; they must be readable by the engine only.',
  }),
  vaultAddr: optional(parse.url, {
    name: 'VAULT_ADDR',
    group: 'secrets',
    description:
      'URL of HashiCorp Vault, such as https://vault.internal:8200, for `secretRef: {vault: ...}`.',
  }),
  vaultToken: optional(parse.secretOfLength(1), {
    name: 'VAULT_TOKEN',
    group: 'secrets',
    secret: true,
    description: 'Token that may read there.',
  }),
  vaultNamespace: optional(parse.text, {
    name: 'VAULT_NAMESPACE',
    group: 'secrets',
    description: 'Namespace of Vault Enterprise.',
  }),
  fingerprintKey: optional(parse.encryptionKey, {
    name: 'DOAAS_FINGERPRINT_KEY',
    group: 'secrets',
    secret: true,
    description:
      'Makes the fingerprints by which plans tell secrets apart: 32 bytes in base64 (`openssl rand -base64 32`). Without it the engine makes one and keeps it in its store, so that whoever reads that can try guesses; set it. A new one voids open approvals.',
  }),
} as const;
