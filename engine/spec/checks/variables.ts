import { errorAtKey, errorsOf, isConfiguration, isServer, isVariables } from '../documents.ts';
import type { BrokenDocument } from '../load.ts';
import type { LocatedDocument, Manifest, SpecError } from '../manifest.ts';
import { didYouMean } from '../nearest.ts';
import { childPointer } from '../pointer.ts';

/** A value for a variable that no configuration declares is most likely a misspelt name. */
export function checkVariableNames(
  manifest: Manifest,
  broken: readonly BrokenDocument[],
): readonly SpecError[] {
  if (broken.some((other) => other.kind === '*' || other.kind === 'Configuration')) return [];
  const declared = new Set(
    manifest.documents
      .filter(isConfiguration)
      .flatMap((document) => Object.keys(document.spec.variables ?? {})),
  );
  return errorsOf(manifest.documents, (document) => {
    if (isServer(document))
      return undeclared(document, '/spec/variables', document.spec.variables ?? {}, declared);
    return isVariables(document) ? undeclared(document, '/spec/values', document.spec.values, declared) : [];
  });
}

function undeclared(
  document: LocatedDocument,
  pointer: string,
  values: Readonly<Record<string, unknown>>,
  declared: ReadonlySet<string>,
): readonly SpecError[] {
  const unknown = Object.keys(values).filter((name) => !declared.has(name));
  return errorsOf(unknown, (name) => {
    const message = `No Configuration declares the variable ${JSON.stringify(name)}${didYouMean(name, declared)}`;
    return [errorAtKey(document, 'unknown-variable', childPointer(pointer, name), message)];
  });
}
