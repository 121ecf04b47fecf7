import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import { asJson, isJson, type Json } from './json.ts';

/** GitHub's own description of its API, from `@octokit/openapi`. */
export interface Description {
  /** What is wrong with a request; empty when the description allows it. */
  readonly problems: (request: DescribedRequest) => string[];
}

export interface DescribedRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON body; undefined for none. */
  readonly body: unknown;
}

interface Operation {
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly definition: Json;
}

interface Compiled {
  readonly path: ReadonlyMap<string, ValidateFunction>;
  readonly query: ReadonlyMap<string, ValidateFunction>;
  readonly requiredQuery: readonly string[];
  readonly body: ValidateFunction | undefined;
  readonly bodyRequired: boolean;
  /** Properties the body may have; undefined where the description leaves it open. */
  readonly bodyNames: ReadonlySet<string> | undefined;
}

let loading: Promise<Description> | undefined;

/** Read once per process: the file has 12 MB. */
export function loadDescription(): Promise<Description> {
  loading ??= readDescription();
  return loading;
}

async function readDescription(): Promise<Description> {
  const index = fileURLToPath(import.meta.resolve('@octokit/openapi'));
  const file = index.replace(/index\.js$/, 'generated/api.github.com.json');
  const text: unknown = JSON.parse(await readFile(file, 'utf8'));
  return createDescription(asJson(text));
}

export function createDescription(document: Json): Description {
  const operations = operationsOf(document);
  const compiled = new Map<Operation, Compiled>();
  return {
    problems: (request) => {
      const operation = operations.find(
        (entry) => entry.method === request.method && entry.pattern.test(request.path),
      );
      if (operation === undefined) return [`GitHub has no ${request.method} ${request.path}`];
      const rules = compiled.get(operation) ?? compile(document, operation);
      compiled.set(operation, rules);
      return check(operation, rules, request);
    },
  };
}

function operationsOf(document: Json): Operation[] {
  const operations = Object.entries(asJson(document.paths)).flatMap(([template, item]) =>
    Object.entries(asJson(item)).map(([method, definition]) => ({
      method: method.toUpperCase(),
      template,
      pattern: patternOf(template),
      names: [...template.matchAll(/\{([^}]+)\}/g)].map((found) => found[1] ?? ''),
      definition: asJson(definition),
    })),
  );
  // Fewer names first, then more fixed text: `commits/{ref}/check-runs` before `commits/{ref}`, whose ref may hold slashes.
  return operations.sort(
    (left, right) => left.names.length - right.names.length || right.template.length - left.template.length,
  );
}

/** `{ref}`, `{path}` and `{basehead}` may hold slashes, the others not. */
function patternOf(template: string): RegExp {
  const source = template
    .replace(/[.+*?^$()[\]|\\]/g, '\\$&')
    .replace(/\{(ref|path|basehead)\}/g, '(.+)')
    .replace(/\{[^}]+\}/g, '([^/]+)');
  return new RegExp(`^${source}$`);
}

function compile(document: Json, operation: Operation): Compiled {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, coerceTypes: 'array' });
  const bodyAjv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const resolved = (value: unknown) => asJson(resolve(document, value, []));
  const parameters = asList(operation.definition.parameters).map(resolved);
  const of = (place: string) =>
    new Map(
      parameters
        .filter((parameter) => parameter.in === place)
        .map((parameter) => [
          String(parameter.name),
          ajv.compile({ type: 'object', properties: { value: parameter.schema } }),
        ]),
    );
  const requestBody = resolved(operation.definition.requestBody);
  const schema = asJson(asJson(requestBody.content)['application/json']).schema;
  return {
    path: of('path'),
    query: of('query'),
    requiredQuery: parameters
      .filter((parameter) => parameter.in === 'query' && parameter.required === true)
      .map((parameter) => String(parameter.name)),
    body: isJson(schema) ? bodyAjv.compile(schema) : undefined,
    bodyRequired: requestBody.required === true,
    bodyNames: isJson(schema) ? propertyNames(schema) : undefined,
  };
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Writes references out; one that leads back to itself becomes the schema that allows everything. */
function resolve(document: Json, value: unknown, trail: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((entry) => resolve(document, entry, trail));
  if (!isJson(value)) return value;
  const reference = value.$ref;
  if (typeof reference === 'string') {
    if (trail.includes(reference)) return {};
    const target = reference
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((at, name) => asJson(at)[name], document);
    return resolve(document, target, [...trail, reference]);
  }
  const entries = Object.entries(value).filter(([name]) => name !== 'example' && name !== 'examples');
  const schema = Object.fromEntries(entries.map(([name, entry]) => [name, resolve(document, entry, trail)]));
  return schema.nullable === true && schema.type === undefined ? orNull(schema) : schema;
}

/** OpenAPI 3.0 lets `nullable` stand beside `oneOf`; ajv knows it only beside `type`. */
function orNull({ nullable: _, ...schema }: Json): Json {
  return { anyOf: [schema, { type: 'null' }] };
}

function propertyNames(schema: Json): ReadonlySet<string> | undefined {
  const parts = [schema, ...['allOf', 'anyOf', 'oneOf'].flatMap((key) => asList(schema[key]).map(asJson))];
  const names = parts.flatMap((part) => Object.keys(asJson(part.properties)));
  return names.length === 0 ? undefined : new Set(names);
}

function check(operation: Operation, rules: Compiled, request: DescribedRequest): string[] {
  const where = `${operation.method} ${operation.template}`;
  const groups = operation.pattern.exec(request.path)?.slice(1) ?? [];
  const inPath = operation.names.flatMap((name, index) =>
    failures(rules.path.get(name), { value: decodeURIComponent(groups[index] ?? '') }, `path {${name}}`),
  );
  const given = [...request.query.keys()];
  const inQuery = given.flatMap((name) => {
    const validate = rules.query.get(name) ?? rules.query.get(`${name}[]`);
    if (validate === undefined) return [`unknown query parameter "${name}"`];
    return failures(validate, { value: request.query.get(name) }, `query ${name}`);
  });
  const missing = rules.requiredQuery
    .filter((name) => !given.includes(name))
    .map((name) => `query parameter "${name}" is missing`);
  return [...inPath, ...inQuery, ...missing, ...inBody(rules, request.body)].map(
    (text) => `${where}: ${text}`,
  );
}

function inBody(rules: Compiled, body: unknown): string[] {
  if (body === undefined) return rules.bodyRequired ? ['the JSON body is missing'] : [];
  if (rules.body === undefined) {
    return isJson(body) && Object.keys(body).length > 0 ? ['takes no JSON body'] : [];
  }
  const names = rules.bodyNames;
  const unknown = isJson(body) && names ? Object.keys(body).filter((name) => !names.has(name)) : [];
  return [...unknown.map((name) => `unknown body property "${name}"`), ...failures(rules.body, body, 'body')];
}

function failures(validate: ValidateFunction | undefined, value: unknown, where: string): string[] {
  if (validate === undefined || validate(value)) return [];
  return (validate.errors ?? []).map(
    (error) => `${where}${error.instancePath.replace('/value', '')} ${error.message}`,
  );
}
