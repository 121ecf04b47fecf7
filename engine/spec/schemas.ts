import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import common from '../../schemas/common.json' with { type: 'json' };
import configuration from '../../schemas/configuration.json' with { type: 'json' };
import firewall from '../../schemas/firewall.json' with { type: 'json' };
import hardening from '../../schemas/hardening.json' with { type: 'json' };
import patchPolicy from '../../schemas/patchpolicy.json' with { type: 'json' };
import policy from '../../schemas/policy.json' with { type: 'json' };
import server from '../../schemas/server.json' with { type: 'json' };
import variables from '../../schemas/variables.json' with { type: 'json' };

export const API_VERSION = 'doaas/v1';

/** The schema of each kind. A new kind is added here and in schemas/doaas.json. */
const schemas: Readonly<Record<string, object>> = {
  Server: server,
  Variables: variables,
  Configuration: configuration,
  Firewall: firewall,
  Hardening: hardening,
  PatchPolicy: patchPolicy,
  Policy: policy,
};

/** Not one of `kinds`: it stands in a file of its own (policy.ts). */
export const POLICY = 'Policy';

/** Kinds whose documents may stand anywhere in a repository. */
export const kinds: readonly string[] = Object.keys(schemas).filter((kind) => kind !== POLICY);

const validators = new Map<string, ValidateFunction>();

/** All mistakes of a document's value by its kind's schema; empty when there is none. `kind` is one of `kinds`, or `POLICY`. */
export function schemaErrors(kind: string, value: unknown): readonly ErrorObject[] {
  const validate = validators.get(kind) ?? compile(kind);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** Compiled at first use: tens of milliseconds that most commands do not need. */
function compile(kind: string): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true, validateSchema: false });
  ajv.addVocabulary(['x-expected']);
  ajv.addSchema(common);
  const validate = ajv.compile(schemas[kind] ?? false);
  validators.set(kind, validate);
  return validate;
}

export interface KnownProperties {
  readonly document: readonly string[];
  readonly metadata: readonly string[];
  readonly spec: readonly string[];
}

/** Names of the properties of a kind at each level. */
export function propertiesOf(kind: string): KnownProperties {
  const schema = schemas[kind];
  return {
    document: namesAt(schema, ['properties']),
    metadata: namesAt(common, ['$defs', 'metadata', 'properties']),
    spec: namesAt(schema, ['$defs', 'spec', 'properties']),
  };
}

function namesAt(schema: unknown, path: readonly string[]): readonly string[] {
  const at = path.reduce<unknown>((value, key) => Reflect.get(Object(value), key), schema);
  return Object.keys(Object(at));
}
