import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { cpuMs } from '../../test/cpuMs.ts';
import { maskOf } from './mask.ts';

const VALUE = 'p"ss-word-é-123456';
const SHOWN = '‹secret a›';
const mask = (text: string, value = VALUE): string => maskOf(new Map([[value, 'a']]))(text);
const hex = (text: string): string => Buffer.from(text).toString('hex');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const sha256 = (text: string, as: 'hex' | 'base64' = 'hex'): string =>
  createHash('sha256').update(text).digest(as);
const wrapped = (text: string, columns: number): string =>
  text.replace(new RegExp(`.{${columns}}`, 'g'), '$&\n');
/** As xxd and hexdump -C print it. */
const dumped = (
  text: string,
  line: (at: string, bytes: readonly string[], shown: string) => string,
): string =>
  (hex(text).match(/.{1,32}/g) ?? [])
    .map((row, n) => {
      const bytes = row.match(/../g) ?? [];
      const shown = bytes.map((byte) =>
        /[2-7]/.test(byte[0] ?? '') ? String.fromCharCode(Number.parseInt(byte, 16)) : '.',
      );
      return line((n * 16).toString(16).padStart(8, '0'), bytes, shown.join(''));
    })
    .join('\n');
const xxd = (text: string): string =>
  dumped(
    text,
    (at, bytes, shown) => `${at}: ${(bytes.join('').match(/.{1,4}/g) ?? []).join(' ').padEnd(39)}  ${shown}`,
  );
const hexdump = (text: string): string =>
  dumped(
    text,
    (at, bytes, shown) =>
      `${at}  ${`${bytes.slice(0, 8).join(' ').padEnd(23)}  ${bytes.slice(8).join(' ')}`.padEnd(48)}  |${shown}|`,
  );

describe('a mask takes out', () => {
  test.each([0, 1, 2].flatMap((offset) => [76, 64, 5, 1].map((columns) => [offset, columns] as const)))(
    'base64 that begins at offset %i and is wrapped after %i characters, all of it',
    (offset, columns) => {
      const [before, after] = ['before '.slice(0, 3 + offset), ' and after'];
      const whole = base64(`${before}${VALUE}${after}`);
      const left = mask(wrapped(whole, columns)).replace(/\n/g, '').split(SHOWN);
      // no character that holds a bit of it, and all of the others
      const [begin, end] = [before.length, Buffer.byteLength(`${before}${VALUE}`)];
      expect(left).toEqual([
        whole.slice(0, Math.floor((begin * 8) / 6)),
        whole.slice(Math.ceil((end * 8) / 6)),
      ]);
    },
  );

  test.each([
    ['CRLF', (text: string) => wrapped(base64(text), 20).replaceAll('\n', '\r\n')],
    [
      'ends of lines as JSON writes them',
      (text: string) => JSON.stringify({ text: wrapped(base64(text), 20) }),
    ],
    ['the alphabet of URLs', (text: string) => Buffer.from(text).toString('base64url')],
  ])('base64 with %s', (_, form) => {
    const value = 'a>>>b???c~~~d-0123456789';
    const masked = mask(`it is ${form(`V=${value}\n`)}`, value);
    expect(masked).toContain(SHOWN);
    expect(masked).not.toMatch(/YT4|Pj4|MDEy|MTIz|Nzg5/);
  });

  test.each([
    ['lower case', hex],
    ['upper case', (text: string) => hex(text).toUpperCase()],
    ['lines of xxd -p', (text: string) => wrapped(hex(text), 10)],
    ['bytes of od', (text: string) => hex(text).replace(/../g, ' $&')],
    ['bytes of openssl', (text: string) => hex(text).toUpperCase().match(/../g)?.join(':') ?? ''],
    ['escapes of printf', (text: string) => hex(text).replace(/../g, '\\x$&')],
    ['a dump of xxd', xxd],
    ['a dump of hexdump -C', hexdump],
  ])('hex in %s', (_, form) => {
    const masked = mask(`it has\n${form(`A=1\nV=${VALUE}\nC=2\n`)}\nsaid it`);
    expect(masked).toContain(SHOWN);
    expect(masked).not.toMatch(/ss-|word|3456|7373|73 73|73:73|x73|776f|77 6f|33:?34:?35|33 34/i);
    expect(masked).toMatch(/^it has\n[\s\S]*\nsaid it$/);
  });

  test('sha256 of a value, with the end of a line or without, and of contents that it stands in', () => {
    const content = `V=${VALUE}\n`;
    const known = maskOf(new Map([[VALUE, 'a']]), new Map([[sha256(content), 'a']]));
    for (const text of [VALUE, `${VALUE}\n`, content]) {
      expect(known(`${sha256(text)}  /etc/app.env`)).toBe(`${SHOWN}  /etc/app.env`);
      expect(known(`is ${sha256(text).toUpperCase()}`)).toBe(`is ${SHOWN}`);
      expect(known(`sha256-${sha256(text, 'base64')}`)).toMatch(/^sha256-‹secret a›=?$/);
    }
    expect(known(sha256('another'))).toBe(sha256('another'));
  });

  test('base64 and hex of short values, and the sha256 of the shortest', () => {
    for (const offset of [0, 1, 2]) {
      const masked = mask(`is ${base64(`${'-'.repeat(offset)}h4nt`)}`, 'h4nt');
      expect(masked).toContain(SHOWN);
      expect(masked.replace(SHOWN, '').replace(/[^A-Za-z0-9]/g, '').length).toBeLessThanOrEqual(2 + offset);
    }
    expect(mask(`is ${hex('h4nt').toUpperCase()}`, 'h4nt')).toBe(`is ${SHOWN}`);
    expect(mask(`is ${sha256('7\n')}`, '7')).toBe(`is ${SHOWN}`);
    expect(mask('7 is no word of its own', '7')).toBe('7 is no word of its own');
  });

  test('a long value in every form wherever it was cut, also from its middle', () => {
    const value = Array.from({ length: 400 }, (_, n) => sha256(`${n}`)).join('');
    const known = maskOf(new Map([[value, 'a']]));
    for (const form of [value, base64(value), wrapped(base64(value), 76), hex(value).toUpperCase()])
      for (const [from, to] of [
        [0, 2_001],
        [1_003, 7_003],
        [form.length - 6_007, form.length],
      ] as const) {
        expect(known(form.slice(from, to)).trim()).toBe(SHOWN);
        expect(known(`${form.slice(from, to)}... and so on`).trim()).toBe(`${SHOWN}... and so on`);
      }
  });

  test('both of two values that overlap', () => {
    const both = maskOf(
      new Map([
        ['abcd-1234', 'a'],
        ['1234-wxyz', 'b'],
      ]),
    );
    expect(both('is abcd-1234-wxyz here')).toBe(`is ${SHOWN} here`);
    expect(both('is abcd-12341234-wxyz')).toBe(`is ${SHOWN}‹secret b›`);
  });

  test('a long line of a value whose other lines are short', () => {
    expect(mask('it is hunter2-hunter3!', 'me\nhunter2-hunter3')).toBe(`it is ${SHOWN}!`);
  });

  test('nothing else', () => {
    const innocent = [
      'nothing to hide...',
      'dead beef cafe 0123456789abcdef\nZm9vYmFyYmF6\n'.repeat(20),
      '00000000: 6e6f 7468 696e 6720 746f 2068 6964 652e  nothing to hide.',
    ];
    for (const text of innocent) expect(mask(text)).toBe(text);
  });
});

test('a mask of many values stays quick, whatever a server says', () => {
  const lines = Array.from({ length: 4_000 }, (_, n) => `key-${n}-xxxxx`).join('\n');
  const values = new Map(
    [lines, 'a'.repeat(60_000), 'key-'.repeat(15_000)].map((value, n) => [value, `v${n}`]),
  );
  const known = maskOf(values);
  expect(
    cpuMs(() => {
      for (const text of ['key-', 'a', 'key-1', '... ', 'ey0t', '61', ' ', '\n'].map((each) =>
        each.repeat(64_000).slice(0, 64_000),
      ))
        known(text);
    }),
  ).toBeLessThan(10_000);
});
