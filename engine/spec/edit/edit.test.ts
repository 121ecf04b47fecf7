import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseYaml } from '../parse.ts';
import { editYaml } from './edit.ts';

const TEXT = `# of the web servers
apiVersion: doaas/v1
kind: Configuration
metadata: { name: web } # its name
spec:
  targets: {all: true}
  packages:
    nginx: {}
    tree: {version: "2.*"}   # for people
  files:
    # what they see at login
    /etc/motd:
      content: "welcome\\n"
      mode: "0644"
    /etc/issue:
      content: |
        first
        second

      owner: root # as ever
  hostsEntries:
    10.0.0.9:
      - db
      - db.internal
---
kind: Other
`;

const cases: readonly (readonly [string, string, Parameters<typeof editYaml>[2]['value'], string])[] = [
  [
    'a quoted text',
    '/spec/files/~1etc~1motd/content',
    'by hand\n',
    '-      content: "welcome\\n"\n+      content: "by hand\\n"',
  ],
  [
    'a text of several lines',
    '/spec/files/~1etc~1motd/content',
    'one\n\n  two: "x" # y\n',
    '-      content: "welcome\\n"\n+      content: |\n+        one\n+\n+          two: "x" # y',
  ],
  [
    'a block',
    '/spec/files/~1etc~1issue/content',
    'third\n',
    '-        first\n-        second\n+        third',
  ],
  [
    'a word',
    '/spec/files/~1etc~1issue/owner',
    'www-data',
    '-      owner: root # as ever\n+      owner: www-data # as ever',
  ],
  ['a mode', '/spec/files/~1etc~1motd/mode', '0600', '-      mode: "0644"\n+      mode: "0600"'],
  ['a key more', '/spec/files/~1etc~1motd/group', 'true', '+      group: "true"'],
  [
    'a key more in braces',
    '/spec/packages/tree/hold',
    true,
    '-    tree: {version: "2.*"}   # for people\n+    tree: { hold: true,version: "2.*"}   # for people',
  ],
  [
    'a key in empty braces',
    '/spec/packages/nginx/state',
    'absent',
    '-    nginx: {}\n+    nginx: { state: absent }',
  ],
  [
    'braces as a whole',
    '/spec/packages/tree',
    { state: 'absent' },
    '-    tree: {version: "2.*"}   # for people\n+    tree: { state: "absent" }   # for people',
  ],
  [
    'a block as a whole',
    '/spec/files/~1etc~1motd',
    { state: 'absent' },
    '-    /etc/motd:\n-      content: "welcome\\n"\n-      mode: "0644"\n+    /etc/motd: { state: "absent" }',
  ],
  [
    'a list',
    '/spec/hostsEntries/10.0.0.9',
    ['db'],
    '-    10.0.0.9:\n-      - db\n-      - db.internal\n+    10.0.0.9: ["db"]',
  ],
];

describe('changes that and nothing else', () => {
  test.each(cases)('%s', (_, pointer, value, expected) => {
    const edited = editYaml(TEXT, 0, { pointer, value });
    expect(difference(TEXT, edited ?? '')).toBe(expected);
  });

  test('with the line ends of the file', () => {
    const crlf = TEXT.replaceAll('\n', '\r\n');
    const edited = editYaml(crlf, 0, { pointer: '/spec/files/~1etc~1motd/content', value: 'a\nb\n' });
    expect(edited?.replaceAll('\r\n', '')).not.toContain('\n');
    expect(edited).toContain('|\r\n        a\r\n        b\r\n');
  });

  test('not within an alias, which others share', () => {
    const shared = 'a: &x {m: "1"}\nb: *x\n';
    expect(editYaml(shared, 0, { pointer: '/b/m', value: '2' })).toBeUndefined();
    expect(editYaml(shared, 0, { pointer: '/a/m', value: '2' })).toBeUndefined();
    expect(editYaml('a: 1\n', 0, { pointer: '/b/c', value: '2' })).toBeUndefined();
  });
});

describe('a hostile value', () => {
  const places = [
    '/spec/files/~1etc~1motd/content',
    '/spec/files/~1etc~1issue/content',
    '/spec/packages/tree/version',
    '/spec/files/~1etc~1motd/owner',
  ];
  const HOSTILE = [
    '"\nspec: {targets: {all: true}}\n#',
    'x\n---\nkind: Server\n',
    "'; kind: x #",
    '*alias',
    '&anchor x',
    '!!js/function x',
    '<<: *x',
    '- a',
    '? b',
    '%TAG',
    '\u2028key: v',
    '\u0085key: v',
    '\ufeffkey: v',
    'a\r\nb',
    'a\rb: c',
    '\tx\n\ty\n',
    '  lead\n',
    '\n\n',
    'a\n \nb\n',
    'null',
    '0644',
    '{{mustache}}',
    'end\n...\n',
    '\u202ereversed',
    '🙂\n🙂\n',
    '#\n#\n',
    '|\n>\n',
  ];

  test.each(HOSTILE)('%j stays a text', (value) => {
    for (const pointer of places) {
      const edited = editYaml(TEXT, 0, { pointer, value });
      expect(edited, pointer).toBeDefined();
      expect(parseYaml('', edited ?? '').documents).toHaveLength(2);
    }
  });

  test('any text is read back as it was, with all else as it was', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        (pointer, value) => {
          const edited = editYaml(TEXT, 0, { pointer, value });
          if (value.includes('\0')) return;
          expect(edited).toBeDefined();
          const [document, other] = parseYaml('', edited ?? '').documents;
          expect(valueAt(document?.value, pointer)).toBe(value);
          expect(other?.value).toEqual({ kind: 'Other' });
        },
      ),
      { numRuns: 300 },
    );
  });
});

function valueAt(root: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/'))
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root);
}

/** Lines that went and lines that came, by the first and last that differ. */
function difference(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const mark = (sign: string, lines: string[]) =>
    lines.slice(start, lines.length - end).map((line) => (line === '' ? sign : `${sign}${line}`));
  return [...mark('-', a), ...mark('+', b)].join('\n');
}
