import {
  type ConfigurationDocument,
  errorAt,
  errorAtKey,
  isVariables,
  type ServerDocument,
  targetsServer,
} from './documents.ts';
import type { LocatedDocument, Manifest, SpecError } from './manifest.ts';
import { childPointer } from './pointer.ts';
import type { Targets, VariableSetting } from './types.generated.ts';
import { variableTypeProblem } from './variableType.ts';

/** A value that a document gives to a variable on one host. */
interface Setting {
  readonly value: VariableSetting;
  readonly document: LocatedDocument;
  readonly pointer: string;
  /** A higher one wins. */
  readonly specificity: number;
}

/** Above any number of labels (a selector has at most 64). */
const BY_HOST = 1_000;
const BY_SERVER = 2_000;

export interface Variables {
  readonly settings: ReadonlyMap<string, Setting>;
  readonly errors: readonly SpecError[];
}

/** What the documents say about one host: the most specific wins, two equally specific ones are an error. */
export function variablesOf(manifest: Manifest, server: ServerDocument): Variables {
  const settings = new Map<string, Setting>();
  const conflicts = new Map<string, SpecError>();
  for (const [name, setting] of allSettings(manifest, server)) {
    const present = settings.get(name);
    if (present === undefined || setting.specificity > present.specificity) {
      settings.set(name, setting);
      conflicts.delete(name);
    } else if (setting.specificity === present.specificity) {
      conflicts.set(name, conflict(name, present, setting, server));
    }
  }
  return { settings, errors: [...conflicts.values()] };
}

function allSettings(manifest: Manifest, server: ServerDocument): readonly (readonly [string, Setting])[] {
  const groups = manifest.documents
    .filter(isVariables)
    .filter((document) => targetsServer(document.spec.targets, server))
    .flatMap((document) =>
      settingsOf(document, '/spec/values', document.spec.values, specificity(document.spec.targets)),
    );
  return [...groups, ...settingsOf(server, '/spec/variables', server.spec.variables ?? {}, BY_SERVER)];
}

function settingsOf(
  document: LocatedDocument,
  pointer: string,
  values: Readonly<Record<string, VariableSetting>>,
  rank: number,
): readonly (readonly [string, Setting])[] {
  return Object.entries(values).map(([name, value]) => [
    name,
    { value, document, pointer: childPointer(pointer, name), specificity: rank },
  ]);
}

function specificity(targets: Targets): number {
  return targets.hosts ? BY_HOST : Object.keys(targets.labels ?? {}).length;
}

function conflict(name: string, first: Setting, second: Setting, server: ServerDocument): SpecError {
  const message =
    `${second.document.ref} and ${first.document.ref} both set ${name} for ${server.metadata.name} and select it ` +
    `equally closely; remove one of the two, or name the host in one of them.`;
  return errorAtKey(second.document, 'variable-conflict', second.pointer, message);
}

export interface ConfigurationValues {
  /** By variable name; complete where there are no errors. */
  readonly values: ReadonlyMap<string, VariableSetting>;
  readonly errors: readonly SpecError[];
}

/** The values of the variables that a configuration declares, with the declared types. */
export function configurationValues(
  document: ConfigurationDocument,
  settings: ReadonlyMap<string, Setting>,
  host: string,
): ConfigurationValues {
  const values = new Map<string, VariableSetting>();
  const errors: SpecError[] = [];
  for (const [name, variable] of Object.entries(document.spec.variables ?? {})) {
    const setting = settings.get(name);
    const value = setting?.value ?? variable.default;
    if (value === undefined) errors.push(missing(document, name, host, variable.type === 'secret'));
    else values.set(name, value);
    const problem = setting === undefined ? undefined : variableTypeProblem(variable.type, setting.value);
    if (setting !== undefined && problem !== undefined) {
      const message = `The variable ${name} ${problem} by ${document.ref}.`;
      errors.push(errorAt(setting.document, 'variable-type', setting.pointer, message));
    }
  }
  return { values, errors };
}

function missing(document: ConfigurationDocument, name: string, host: string, secret: boolean): SpecError {
  const message = `The variable ${name} has no value on ${host}; set it on the server or in a Variables document${secret ? '' : ', or give it a default'}.`;
  return errorAtKey(document, 'variable-missing', childPointer('/spec/variables', name), message);
}
