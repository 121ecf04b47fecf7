import type { Payload } from './configuration.ts';
import type { SecretRefSource, VariableSetting, VariableValue } from './types.generated.ts';

/** Where a secret's value is. Names only, never the value. */
export type SecretRef =
  /** `sha256` (hex) of the encrypted file, so that another content of it is another desired state. */
  | { readonly from: 'age'; readonly path: string; readonly key: string; readonly sha256: string }
  /** Without the prefix DOAAS_SECRET_. */
  | { readonly from: 'env'; readonly name: string }
  /** Path below DOAAS_SECRETS_DIR. */
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'vault'; readonly path: string; readonly key: string };

/** A secret that a text needs; every `placeholder` in that text stands for its value. */
export type SecretUse = {
  /** The variable's. */
  readonly name: string;
  readonly placeholder: string;
  readonly ref: SecretRef;
};

/** What a template prints in place of a secret. */
export type SecretValue = { readonly kind: 'secret' } & SecretUse;

export type TemplateValue = VariableValue | SecretValue;

export type SecretSetting = { readonly secretRef: SecretRefSource };

export function isSecretSetting(value: VariableSetting): value is SecretSetting {
  return typeof value === 'object' && !Array.isArray(value);
}

export function isSecret(value: TemplateValue | undefined): value is SecretValue {
  return typeof value === 'object' && !Array.isArray(value);
}

/** Names a content and where its secrets come from. */
export function sealKey({ sha256, sealed = [] }: Pick<Payload, 'sha256' | 'sealed'>): string {
  return `${sha256} ${JSON.stringify(sealed)}`;
}

/** The schema lets no such mark into a name; rendering refuses a text that has one of its own. */
export function placeholderOf(name: string): string {
  return `‹secret ${name}›`;
}

/** `fileHash` gives the sha256 (hex) of a file of the repository. The reference must have passed its checks. */
export function toSecret(
  name: string,
  { secretRef }: SecretSetting,
  fileHash: (path: string) => string,
): SecretValue {
  return { kind: 'secret', name, placeholder: placeholderOf(name), ref: refOf(secretRef, fileHash) };
}

function refOf(
  { age, env, file, vault, key = '' }: SecretRefSource,
  fileHash: (path: string) => string,
): SecretRef {
  if (age !== undefined) return { from: 'age', path: age, key, sha256: fileHash(age) };
  if (env !== undefined) return { from: 'env', name: env };
  if (file !== undefined) return { from: 'file', path: file };
  return { from: 'vault', path: vault ?? '', key };
}

/** For people: `secrets/app.age database-password`. */
export function refText(ref: SecretRef): string {
  switch (ref.from) {
    case 'age':
      return `${ref.path} ${ref.key}`;
    case 'env':
      return `DOAAS_SECRET_${ref.name}`;
    case 'file':
      return `${ref.path} in DOAAS_SECRETS_DIR`;
    case 'vault':
      return `Vault ${ref.path} ${ref.key}`;
  }
}

/** Gives a text without values of secrets. */
export type Mask = (text: string) => string;
