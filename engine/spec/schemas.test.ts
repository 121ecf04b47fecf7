import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseYaml } from './parse.ts';
import { childPointer, pointerSegments } from './pointer.ts';
import { kinds, POLICY, schemaErrors } from './schemas.ts';

const folder = new URL('../../schemas/', import.meta.url);

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const files = readdirSync(folder).map((name) => ({
  name,
  schema: JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Schema,
}));

interface Part {
  readonly pointer: string;
  readonly schema: Schema;
}

/** The schema and all within it, by JSON pointer. */
function parts(schema: Schema, pointer = ''): readonly Part[] {
  const named = ['properties', '$defs'].flatMap((group) =>
    Object.entries(isSchema(schema[group]) ? schema[group] : {}).map(
      ([name, entry]) => [childPointer(childPointer(pointer, group), name), entry] as const,
    ),
  );
  const single = ['items', 'additionalProperties', 'propertyNames'].map(
    (name) => [childPointer(pointer, name), schema[name]] as const,
  );
  const choices = (Array.isArray(schema.oneOf) ? schema.oneOf : []).map(
    (choice: unknown, index) => [`${pointer}/oneOf/${index}`, choice] as const,
  );
  const within = [...named, ...single, ...choices];
  return [{ pointer, schema }, ...within.flatMap(([at, part]) => (isSchema(part) ? parts(part, at) : []))];
}

/** What people write and editors complete: the entries of `properties`, `$defs`, lists and maps. */
function isField({ pointer }: Part): boolean {
  return /\/(properties|\$defs)\/[^/]+$|\/(items|additionalProperties)$/.test(pointer);
}

/** With what its `$ref` brings, as editors show it; what stands beside the `$ref` wins. */
function withReference(file: string, schema: Schema): Schema {
  if (typeof schema.$ref !== 'string') return schema;
  const [target = '', pointer = ''] = schema.$ref.split('#');
  const name = target === '' ? file : target;
  const root: unknown = files.find((each) => each.name === name)?.schema;
  const referred = pointerSegments(pointer).reduce((at, key) => Reflect.get(Object(at), key), root);
  return isSchema(referred) ? { ...withReference(name, referred), ...schema } : schema;
}

/** Knows all files, so that every part can be asked by its address. */
const ajv = new Ajv2020({
  allErrors: true,
  allowUnionTypes: true,
  strictTypes: false,
  validateSchema: false,
});
ajv.addVocabulary(['x-expected']);
for (const { schema } of files) ajv.addSchema(schema);

describe.each(files)('$name', ({ name, schema }) => {
  const fields = parts(schema).filter(isField);

  test('describes each of its fields, for editors', () => {
    const bare = fields.filter((field) => typeof withReference(name, field.schema).description !== 'string');
    expect(bare.map(({ pointer }) => pointer)).toEqual([]);
    expect(schema.description).toEqual(expect.any(String));
  });

  test('gives an example of each of its fields', () => {
    const bare = fields.filter((field) => {
      const { examples } = withReference(name, field.schema);
      return !Array.isArray(examples) || examples.length === 0;
    });
    expect(bare.map(({ pointer }) => pointer)).toEqual([]);
    if (schema.type !== undefined || schema.oneOf !== undefined) expect(schema.examples).not.toHaveLength(0);
  });

  test('gives examples that are valid where they stand', () => {
    for (const { pointer, schema: part } of parts(schema)) {
      const { examples = [] } = withReference(name, part) as { readonly examples?: readonly unknown[] };
      const validate = ajv.compile({ $ref: `${name}#${pointer}` });
      for (const example of examples) {
        const errors = validate(example) ? [] : validate.errors;
        expect({ pointer, example, errors }).toEqual({ pointer, example, errors: [] });
      }
    }
  });

  test('says what is expected beside every pattern', () => {
    const text = JSON.stringify(schema);
    expect(text.match(/"x-expected"/g)?.length ?? 0).toBeGreaterThanOrEqual(
      text.match(/"pattern"/g)?.length ?? 0,
    );
  });

  test('allows nothing that it does not name, and uses nothing that the type generator cannot read', () => {
    const open = parts(schema).filter(
      ({ schema: part }) => part.properties && part.additionalProperties !== false,
    );
    expect(open.map(({ pointer }) => pointer)).toEqual([]);
    expect(JSON.stringify(schema)).not.toMatch(/prefixItems|unevaluatedProperties/);
  });
});

test('an example that does not fit is found', () => {
  const validate = ajv.compile({ $ref: 'configuration.json#/$defs/file/properties/mode' });
  expect(validate('0644')).toBe(true);
  expect(validate('rw-r--r--')).toBe(false);
});

test.each([...kinds, POLICY])('the examples of %s are whole documents', (kind) => {
  const { schema } = files.find(({ name }) => name === `${kind.toLowerCase()}.json`) ?? {};
  const examples = (schema?.examples ?? []) as readonly unknown[];
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(schemaErrors(kind, example)).toEqual([]);
});

test('names of the prototype are no properties', () => {
  const [document] = parseYaml('a.yaml', 'constructor: 1\ntoString: 2\n').documents;
  const unknown = schemaErrors('Server', document?.value).filter(
    ({ keyword }) => keyword === 'additionalProperties',
  );
  expect(unknown).toHaveLength(2);
});
