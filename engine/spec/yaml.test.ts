import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRepository } from './check.ts';
import { MAX_SPEC_FILE_BYTES } from './limits.ts';
import { parseYaml } from './parse.ts';
import { check, HOST_KEY, repository, sentences } from './testing.ts';

const HEAD = 'apiVersion: doaas/v1\n';

/** What the user reads for a file that begins with the API version. */
function read(rest: string): readonly string[] {
  return check({ 'a.yaml': HEAD + rest });
}

const SERVER = `kind: Server\nmetadata: {name: web-1}\nspec: {address: 10.0.0.5, hostKey: ${HOST_KEY}}\n`;

const UNCLOSED =
  'a.yaml:3:1 Something above ends too early: a quote or bracket is not closed, or this line is not indented far enough.';

describe('bad YAML', () => {
  test.each([
    ['tabs', 'spec:\n\tport: 1\n', 'a.yaml:3:1 YAML does not allow tabs for indentation; use spaces.'],
    [
      'duplicate keys',
      'spec: {}\nkind: Server\nspec: {}\n',
      'a.yaml:4:1 The key "spec" is already there in line 2; keep one of the two.',
    ],
    [
      'a NUL byte',
      'kind: Ser\0ver\n',
      'a.yaml:2:10 This file contains a NUL byte; YAML is text, so remove it.',
    ],
    [
      'an escaped NUL',
      'kind: "Ser\\0ver"\n',
      'a.yaml:2:7 This text contains a NUL character, which no file name or command can carry; remove it.',
    ],
    [
      'half a surrogate pair',
      'kind: "\\ud800"\n',
      'a.yaml:2:7 This text contains half of a surrogate pair; remove the escape.',
    ],
    [
      '200 levels of flow',
      `spec: ${'['.repeat(200)}${']'.repeat(200)}\n`,
      'a.yaml:2:38 This is nested more than 32 levels deep, which no document needs; flatten it.',
    ],
    [
      '200 levels of block',
      `${Array.from({ length: 200 }, (_, level) => `${' '.repeat(level)}a:\n`).join('')}`,
      'a.yaml:33:32 This is nested more than 32 levels deep, which no document needs; flatten it.',
    ],
    ['an unknown alias', 'spec: *other\n', 'a.yaml:2:7 There is no anchor &other before this alias.'],
    ['an alias within itself', 'spec: &a [*a]\n', 'a.yaml:2:11 The alias *a lies within its own anchor.'],
    [
      'a tag',
      'spec: !!binary AAAA\n',
      'a.yaml:2:7 YAML tags such as !!binary are not supported; remove it (quotes make a value text).',
    ],
    [
      'a line that is indented as no other',
      'spec:\n  packages:\n    nginx: {}\n   redis: {}\n',
      'a.yaml:5:4 This does not fit what is above: indent the line as its neighbours are, or put a value that has ": " in it, or begins with a sign such as @, `, % or *, in quotes.',
    ],
    [
      'a forgotten colon',
      'kind: Server\nspec:\n  a: b\n  packages\n    nginx: {}\n',
      'a.yaml:6:10 A ":" with a space after it is missing near here, after a name; or a text of several lines is not indented below its name.',
    ],
    [
      'a block text that is not indented',
      'spec:\n  a: |\n  hello\n  b: c\n',
      'a.yaml:5:4 A ":" with a space after it is missing near here, after a name; or a text of several lines is not indented below its name.',
    ],
    [
      'a colon within braces',
      'spec: {comment: Web: the user}\n',
      'a.yaml:2:20 A comma is missing here between entries in braces or brackets; a value that has ":" or "," in it must be in quotes.',
    ],
    [
      'an unquoted star',
      'spec: {version: *}\n',
      'a.yaml:2:18 A value that begins with * or & must be in quotes, or YAML takes it for a reference.',
    ],
    [
      'a variable of a template',
      'spec: {content: {{ port }}}\n',
      'a.yaml:2:18 A key must be plain text, not a list, a map or an alias; put a value that begins with "{" or "[" in quotes.',
    ],
    [
      'a forgotten line between documents',
      '...\n{a: b}\n{c: d}\n',
      'a.yaml:4:1 A new document begins with a line "---"; write one before this.',
    ],
    [
      'a merge conflict',
      'spec:\n<<<<<<< HEAD\n  port: 22\n=======\n  port: 23\n>>>>>>> main\n',
      'a.yaml:3:1 Git left a merge conflict here; keep one of the two sides and remove the lines <<<<<<<, ======= and >>>>>>>.',
    ],
    ['an open bracket', 'spec: [a,\n', UNCLOSED],
    [
      'a list as a key',
      '? [a]\n: b\n',
      'a.yaml:2:3 A key must be plain text, not a list, a map or an alias; put a value that begins with "{" or "[" in quotes.',
    ],
    ['an open double quote', 'kind: "Server\n', UNCLOSED],
    ['an open single quote', "kind: 'Server\n", UNCLOSED],
    [
      'a control character',
      'kind: Ser\u0007ver\n',
      'a.yaml:2:10 There is a control character here; remove it, or write it as an escape such as "\\u0007" in double quotes.',
    ],
    [
      'anything else',
      'kind: a: b\n',
      'a.yaml:2:8 This does not fit what is above: indent the line as its neighbours are, or put a value that has ": " in it, or begins with a sign such as @, `, % or *, in quotes.',
    ],
  ])('%s', (_, rest, sentence) => {
    expect(read(rest)).toEqual([sentence]);
  });

  test('an alias bomb', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const item = level === 0 ? '"lol"' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 9 }, () => item).join(', ')}]\n`;
    });
    expect(read(levels.join(''))).toEqual([
      'a.yaml:6:15 This document has more than 20000 values (aliases count in full); split it.',
    ]);
  });

  test('more aliases than anybody needs', () => {
    expect(read(`a: &a x\nb: [${Array.from({ length: 101 }, () => '*a').join(', ')}]\n`)).toEqual([
      'a.yaml:3:405 This document has more than 100 aliases; write the values out.',
    ]);
  });

  test('a list that is too long', () => {
    expect(read(`a:\n${'- x\n'.repeat(3_000)}`)).toEqual([
      'a.yaml:2051:3 This list or map has more than 2048 entries; split the document.',
    ]);
  });

  test('10 MB', () => {
    const comment = `# ${'x'.repeat(98)}\n`.repeat(100_000);
    expect(read(comment)).toEqual([
      'a.yaml:1:1 This file has more than the 1024 KiB that a YAML file may have; split it.',
    ]);
    expect(comment.length).toBeGreaterThan(9 * MAX_SPEC_FILE_BYTES);
  });

  test('Latin-1', () => {
    const bytes = Buffer.from(`${HEAD}kind: Server\n# für alle\n`, 'latin1');
    expect(check({ 'a.yaml': bytes })).toEqual([
      'a.yaml:3:4 This file is not UTF-8 from here on; save it as UTF-8.',
    ]);
  });

  test('UTF-16', () => {
    const bytes = Buffer.from(`\ufeff${HEAD}${SERVER}`, 'utf16le');
    expect(check({ 'a.yaml': bytes })).toEqual(['a.yaml:1:1 This file is UTF-16; save it as UTF-8.']);
  });

  test('the repeated keys and the first syntax error that the parser does not see are given together', () => {
    expect(read('a: 1\na: 2\nb: *none\n')).toEqual([
      'a.yaml:3:1 The key "a" is already there in line 2; keep one of the two.',
      'a.yaml:4:4 There is no anchor &none before this alias.',
    ]);
  });
});

describe('odd but good YAML', () => {
  test.each([
    ['CRLF', (HEAD + SERVER).replaceAll('\n', '\r\n')],
    ['CR', (HEAD + SERVER).replaceAll('\n', '\r')],
    ['a byte order mark', `\ufeff${HEAD}${SERVER}`],
    ['empty documents', `---\n---\n${HEAD}${SERVER}---\n`],
    [
      'anchors',
      `${HEAD}kind: Server\nmetadata: {name: &n web-1, labels: {role: *n}}\nspec: {address: *n, hostKey: ${HOST_KEY}}\n`,
    ],
    [
      'text by a tag',
      `${HEAD}kind: Server\nmetadata: {name: !!str 1}\nspec: {address: a, hostKey: ${HOST_KEY}}\n`,
    ],
  ])('%s', (_, text) => {
    const { errors, resolution } = checkRepository(repository({ 'a.yaml': text }));
    expect(sentences(errors)).toEqual([]);
    expect(resolution.hosts).toHaveLength(1);
  });

  test('columns do not count the byte order mark', () => {
    expect(check({ 'a.yaml': '\ufeffapiVersion: doaas/v2\n' })).toEqual([
      'a.yaml:1:13 Unknown apiVersion "doaas/v2"; did you mean "doaas/v1"?',
    ]);
  });

  test('a key with the name of the prototype is a key', () => {
    const [document] = parseYaml('a.yaml', '__proto__: {polluted: true}\n').documents;
    expect(Object.keys(document?.value ?? {})).toEqual(['__proto__']);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(read('kind: Server\n__proto__: {}\nmetadata: {name: a}\nspec: {address: a}\n')[0]).toBe(
      'a.yaml:3:1 Unknown property "__proto__" in a document; known are apiVersion, kind, metadata, spec.',
    );
  });
});

describe('whatever the text', () => {
  /** Text made of what YAML gives a meaning to, so that many examples are nearly valid. */
  const nearlyYaml = fc
    .array(
      fc.constantFrom(
        ...[
          'a: ',
          'b: ',
          '- ',
          '\n',
          '\n  ',
          '\r\n',
          ' ',
          '\t',
          '{',
          '}',
          '[',
          ']',
          ', ',
          '"',
          "'",
          '|\n',
          '>\n',
          '# c',
        ],
        ...[
          '&a ',
          '*a',
          '? ',
          ': ',
          '---\n',
          '...\n',
          '!!str ',
          '%TAG',
          '0644',
          '1.10',
          'yes',
          '~',
          '\\u0000',
          '\ufeff',
          'ü',
          '💥',
        ],
        ...[
          'apiVersion: doaas/v1\n',
          'kind: Configuration\n',
          'metadata: {name: a}\n',
          'spec:\n',
          '  targets: {all: true}\n',
        ],
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join(''));
  const anyText = fc.oneof(nearlyYaml, fc.string({ unit: 'binary', maxLength: 200 }));

  test('it never throws, gives positions inside of the file, and the same again', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = parseYaml('a.yaml', text);
        const lines = text.split(/\r\n|\n|\r/);
        const places = [
          ...parsed.errors.map((error) => error.position),
          ...parsed.documents.flatMap((document) => [
            ...document.positions.values(),
            ...document.keys.values(),
          ]),
        ];
        for (const { line, column, endLine, endColumn } of places) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(endLine).toBeLessThanOrEqual(lines.length);
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
          expect(endColumn).toBeLessThanOrEqual((lines[endLine - 1]?.length ?? 0) + 2);
          expect(endLine > line || (endLine === line && endColumn >= column)).toBe(true);
        }
        expect(parseYaml('a.yaml', text)).toEqual(parsed);
      }),
      { numRuns: 2000 },
    );
  });

  test('a whole repository of it is checked without an exception, the same each time', () => {
    const bytes = fc.oneof(
      anyText.map((text) => new TextEncoder().encode(`apiVersion: doaas/v1\n${text}`)),
      fc.uint8Array({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(bytes, (content) => {
        const files = new Map([['a.yaml', content]]);
        expect(checkRepository(files).errors).toEqual(checkRepository(files).errors);
      }),
      { numRuns: 1000 },
    );
  });

  test('every value is found at its position', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        word,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(word, tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(tree, (value) => {
        const text = JSON.stringify(value, undefined, 1);
        const [document] = parseYaml('a.yaml', text).documents;
        const lines = text.split('\n');
        expect(document?.value).toEqual(value);
        for (const [pointer, place] of document?.keys ?? []) {
          const key = pointer.slice(pointer.lastIndexOf('/') + 1);
          expect(lines[place.line - 1]?.slice(place.column - 1, place.endColumn - 1)).toBe(
            JSON.stringify(key),
          );
        }
      }),
    );
  });
});
