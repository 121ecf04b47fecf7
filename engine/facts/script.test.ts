import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError, type FactQuery, itemKey, splitItemKey } from './fact.ts';
import { facts } from './registry.ts';
import { hashRaw, observe, parseReadings, readScript } from './script.ts';

/** Echoes its key as base64 and one informational line. */
const echo: Fact<FactQuery, readonly string[]> = {
  fact: 'echo',
  read: (queries) =>
    queries
      .map(
        (q) => sh`echo ${`= ${encodeKey(q.key)}`}; printf %s ${q.key} | base64 -w0; echo; echo "~ free $$"`,
      )
      .reduce<Sh>(
        (all, one) => sh`${all}
${one}`,
        sh`:`,
      ),
  parse: (lines) => lines,
};
const quiet: Fact<FactQuery, string> = {
  fact: 'quiet',
  read: (queries) => sh`for k in ${queries.map((q) => encodeKey(q.key))}; do echo "= $k"; done`,
  parse: (lines) => (lines.length === 0 ? 'nothing' : 'something'),
};
const testFacts = { echo, quiet };

const run = (script: Sh): string =>
  execFileSync('sh', ['-u'], {
    input: script.text,
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
  }).toString();

const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((k) => !k.includes('\0'));

describe('readScript and parseReadings', () => {
  it('read every item of every fact in one script, whatever the keys', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 12 }), (keys) => {
        const queries = keys.flatMap((k) => [
          { fact: 'echo', key: k },
          { fact: 'quiet', key: k },
        ]);
        const readings = parseReadings(testFacts, queries, run(readScript(testFacts, queries)));
        expect(readings.size).toBe(queries.length);
        for (const k of keys) {
          const base64 = Buffer.from(k).toString('base64');
          expect(readings.get(itemKey('echo', k))?.raw).toBe(`${base64}\n`);
          expect(readings.get(itemKey('quiet', k))).toMatchObject({ state: 'nothing', raw: '' });
        }
      }),
      { numRuns: 25 },
    );
  });

  it('the host hashes the same bytes as the engine', () => {
    fc.assert(
      fc.property(key, (k) => {
        const query = { fact: 'echo', key: k };
        const raw = parseReadings(testFacts, [query], run(readScript(testFacts, [query]))).get(
          itemKey('echo', k),
        )?.raw;
        expect(hashRaw(run(observe(testFacts, query)))).toBe(hashRaw(raw ?? 'none'));
      }),
      { numRuns: 15 },
    );
  });

  it('takes a cut answer for no answer, never for absence', () => {
    const queries = [
      { fact: 'echo', key: 'a' },
      { fact: 'quiet', key: 'b' },
    ];
    const output = run(readScript(testFacts, queries));
    for (let length = 0; length < output.lastIndexOf('@ end'); length += 1)
      expect(() => parseReadings(testFacts, queries, output.slice(0, length))).toThrow(FactError);
  });

  it('says which item is missing', () => {
    expect(() => parseReadings(testFacts, [{ fact: 'echo', key: 'x y' }], '@ echo\n@ end\n')).toThrow(
      'the host answered nothing for echo:x y',
    );
  });

  it('splits an item at the first colon', () => {
    fc.assert(
      fc.property(key, (k) => {
        expect(splitItemKey(itemKey('path', k))).toEqual({ fact: 'path', key: k });
      }),
    );
  });
});

describe('every fact of the registry', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'doaas-facts-'));
    writeFileSync(join(folder, "it's"), 'x\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const hostile = [
    '-n',
    "it's",
    '$(touch /tmp/doaas-pwned)',
    '../..',
    '*',
    '= x',
    '@ end',
    '~ x',
    'ü',
    ':',
    '|',
  ];

  // these have but one key, and a survey searches this whole machine
  const keyless = ['owned', 'sysctl', 'survey'];
  it.each(Object.keys(facts).filter((name) => !keyless.includes(name)))(
    '%s answers for any key, and the host observes the same raw state',
    (name) => {
      const queries = hostile.map((k) => ({
        fact: name,
        key: k.startsWith('/') || name !== 'path' ? k : join(folder, k),
      }));
      const readings = parseReadings(facts, queries, run(readScript(facts, queries)));
      for (const query of queries) {
        const raw = readings.get(itemKey(query.fact, query.key))?.raw;
        expect(run(observe(facts, query)), query.key).toBe(raw);
      }
    },
  );

  it('a name that leaves /proc/sys is refused', () => {
    expect(() => readScript(facts, [{ fact: 'sysctl', key: 'net.//.//.passwd' }])).toThrow(FactError);
  });
});
