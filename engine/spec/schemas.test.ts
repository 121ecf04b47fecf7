import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseYaml } from './parse.ts';
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

/** Every `properties` and `$defs` entry of a schema, by JSON pointer. */
function entries(
  schema: unknown,
  pointer = '',
): readonly { readonly pointer: string; readonly schema: Schema }[] {
  if (!isSchema(schema)) return [];
  const own = ['properties', '$defs'].flatMap((group) =>
    Object.entries(isSchema(schema[group]) ? schema[group] : {}).filter(([, entry]) => isSchema(entry)),
  );
  return own.flatMap(([name, entry]) => [
    { pointer: `${pointer}/${name}`, schema: entry as Schema },
    ...entries(entry, `${pointer}/${name}`),
  ]);
}

describe.each(files)('$name', ({ schema }) => {
  test('describes each of its parts, for completion in editors', () => {
    const bare = entries(schema).filter(
      ({ schema: part }) => part.description === undefined && part.$ref === undefined,
    );
    expect(bare.map(({ pointer }) => pointer)).toEqual([]);
    expect(schema.description).toEqual(expect.any(String));
  });

  test('says what is expected beside every pattern', () => {
    const text = JSON.stringify(schema);
    expect(text.match(/"x-expected"/g)?.length ?? 0).toBeGreaterThanOrEqual(
      text.match(/"pattern"/g)?.length ?? 0,
    );
  });

  test('allows nothing that it does not name, and uses nothing that the type generator cannot read', () => {
    const open = entries(schema).filter(
      ({ schema: part }) => part.properties && part.additionalProperties !== false,
    );
    expect(open.map(({ pointer }) => pointer)).toEqual([]);
    expect(JSON.stringify(schema)).not.toMatch(/prefixItems|unevaluatedProperties/);
  });
});

test.each([...kinds, POLICY])('the examples of %s are valid', (kind) => {
  const { schema } = files.find(({ name }) => name === `${kind.toLowerCase()}.json`) ?? {};
  const examples = (schema?.examples ?? []) as readonly unknown[];
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(schemaErrors(kind, example)).toEqual([]);
});

test('the examples of each part of a configuration are valid where they stand', () => {
  const { schema } = files.find(({ name }) => name === 'configuration.json') ?? {};
  const { spec } = (schema?.$defs ?? {}) as {
    readonly spec?: { readonly properties: Readonly<Record<string, Schema>> };
  };
  for (const [name, part] of Object.entries(spec?.properties ?? {})) {
    for (const example of (part.examples ?? []) as readonly unknown[]) {
      const document = {
        apiVersion: 'doaas/v1',
        kind: 'Configuration',
        metadata: { name: 'a' },
        spec: { targets: { all: true }, [name]: example },
      };
      expect({ name, errors: schemaErrors('Configuration', document) }).toEqual({ name, errors: [] });
    }
  }
});

test('names of the prototype are no properties', () => {
  const [document] = parseYaml('a.yaml', 'constructor: 1\ntoString: 2\n').documents;
  const unknown = schemaErrors('Server', document?.value).filter(
    ({ keyword }) => keyword === 'additionalProperties',
  );
  expect(unknown).toHaveLength(2);
});
