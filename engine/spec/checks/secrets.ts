import { errorAt, errorsOf, isServer, isVariables } from '../documents.ts';
import { MAX_TEMPLATE_BYTES } from '../limits.ts';
import type { LocatedDocument, Manifest, SpecError } from '../manifest.ts';
import { childPointer } from '../pointer.ts';
import { isSecretSetting } from '../secrets.ts';
import { fileProblem } from '../sources.ts';
import type { SecretRefSource, VariableSetting } from '../types.generated.ts';

const SOURCES = ['age', 'env', 'file', 'vault'] as const;

/** Every secretRef of the repository, used or not. */
export function checkSecrets(manifest: Manifest): readonly SpecError[] {
  return errorsOf(manifest.documents, (document) =>
    settings(document).flatMap(([pointer, value]) => {
      if (!isSecretSetting(value)) return [];
      const at = `${pointer}/secretRef`;
      const wrong = shapeProblem(value.secretRef);
      if (wrong !== undefined) return [errorAt(document, 'wrong-value', at, wrong)];
      const file = ageProblem(manifest, value.secretRef);
      return file === undefined ? [] : [errorAt(document, file.code, `${at}/age`, file.message)];
    }),
  );
}

function settings(document: LocatedDocument): readonly (readonly [string, VariableSetting])[] {
  const under = (pointer: string, values: Readonly<Record<string, VariableSetting>> = {}) =>
    Object.entries(values).map(([name, value]) => [childPointer(pointer, name), value] as const);
  if (isVariables(document)) return under('/spec/values', document.spec.values);
  return isServer(document) ? under('/spec/variables', document.spec.variables) : [];
}

function shapeProblem(ref: SecretRefSource): string | undefined {
  const given = SOURCES.filter((source) => ref[source] !== undefined);
  const [source, other] = given;
  if (source === undefined) return 'This secretRef says no place; give age, env, file or vault.';
  if (other !== undefined) return `This secretRef has ${given.join(' and ')}; keep one of them.`;
  const keyed = source === 'age' || source === 'vault';
  if (keyed && ref.key === undefined)
    return `This secretRef has no "key": the name of the value within ${ref[source]}.`;
  if (!keyed && ref.key !== undefined)
    return `This secretRef has a "key", which ${source} does not take; remove it.`;
  return undefined;
}

/** First lines of the two forms (age-encryption.org/v1). */
const AGE_STARTS = ['age-encryption.org/v1', '-----BEGIN AGE ENCRYPTED FILE-----'];

function ageProblem(manifest: Manifest, { age }: SecretRefSource) {
  if (age === undefined) return undefined;
  const missing = fileProblem(manifest, { path: age });
  if (missing !== undefined) return missing;
  const bytes = manifest.files.get(age) ?? new Uint8Array();
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  if (!AGE_STARTS.some((known) => start.startsWith(known))) {
    const message = `${age} is not encrypted with age. If it holds secrets, they are known to all who can read the repository: change them, then make the file with \`doaas secret edit\`.`;
    return { code: 'not-encrypted', message };
  }
  if (bytes.length <= MAX_TEMPLATE_BYTES) return undefined;
  const bound = MAX_TEMPLATE_BYTES / 1024;
  return { code: 'file-too-large', message: `${age} is larger than the ${bound} KiB that it may have.` };
}
