import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ItemKey, type Reading, splitItemKey } from '../../../facts/fact.ts';
import { checkRepository } from '../../../spec/check.ts';
import { firstConfiguration, HOST_KEY, repository } from '../../../spec/testing.ts';
import { configuration } from '../plan.ts';
import { adoptItem } from './adopt.ts';

/** `source` is the spec as it is written, `host` what was read by item, `adoptions` what becomes of each item. */
interface AdoptCase {
  readonly name: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
  /** In `content` of a file stands its text, not its base64. */
  readonly host: Readonly<Record<ItemKey, Readonly<Record<string, unknown>>>>;
  readonly adoptions: Readonly<Record<ItemKey, object>>;
}

const folder = new URL('./cases/', import.meta.url);
const cases = readdirSync(folder).flatMap((file) => {
  const parsed = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly AdoptCase[];
  return parsed.map((each) => ({ ...each, name: `${file}: ${each.name}` }));
});

function resolved({ source, files = {} }: AdoptCase) {
  const targets = { all: true };
  const head = { apiVersion: 'doaas/v1' };
  const server = {
    ...head,
    kind: 'Server',
    metadata: { name: 'a' },
    spec: { address: 'a.test', hostKey: HOST_KEY },
  };
  const web = { ...head, kind: 'Configuration', metadata: { name: 'web' }, spec: { targets, ...source } };
  const all = { 's.json.yaml': JSON.stringify(server), 'w.yaml': JSON.stringify(web), ...files };
  const { resolution, errors } = checkRepository(repository(all));
  expect(errors).toEqual([]);
  const spec = firstConfiguration(resolution.hosts[0]);
  if (spec === undefined) throw new Error('the document is on no host');
  return { source: web.spec, spec };
}

function readings({ host }: AdoptCase): ReadonlyMap<ItemKey, Reading> {
  return new Map(
    Object.entries(host).map(([item, given]): [ItemKey, Reading] => {
      const { content } = given;
      const base64 = typeof content === 'string' ? { content: Buffer.from(content).toString('base64') } : {};
      const state = { present: true, sha256: 'of the host', ...given, ...base64 };
      return [item as ItemKey, { query: splitItemKey(item), state, raw: '' }];
    }),
  );
}

test.each(cases)('$name', (each) => {
  const { source, spec } = resolved(each);
  const found = Object.keys(each.adoptions).map((item) => [
    item,
    adoptItem(source as Parameters<typeof adoptItem>[0], spec, item as ItemKey, readings(each)),
  ]);
  expect(Object.fromEntries(found)).toEqual(each.adoptions);
});

describe('every item that a document can claim', () => {
  test('is adopted or refused in words in some case', () => {
    const facts = new Set(
      cases.flatMap(({ adoptions }) => Object.keys(adoptions).map((item) => splitItemKey(item).fact)),
    );
    const claimed = cases.flatMap((each) =>
      configuration.claims(resolved(each).spec).map(({ item }) => splitItemKey(item).fact),
    );
    expect([...new Set(claimed)].filter((fact) => !facts.has(fact))).toEqual([]);
    expect([...facts].sort()).toEqual([
      'apt-repository',
      'authorized-keys',
      'group',
      'hosts-entry',
      'locale',
      'package',
      'path',
      'script',
      'sysctl',
      'timezone',
      'unit',
      'user',
    ]);
  });
});
