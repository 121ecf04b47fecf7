import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { command, lines, quote, sh } from './sh.ts';

/** Each run starts a shell; a few hundred strings a shell keep this fast. */
const WORDS_PER_SHELL = 200;

/** Strings that are likely to break quoting, beside ordinary ones; a word cannot hold NUL. */
const word = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(
        "'",
        '"',
        '\\',
        '$',
        '`',
        '\n',
        ' ',
        '-',
        '!',
        '*',
        '~',
        '#',
        '%',
        '(',
        'a',
        '\t',
        '\r',
        '=',
        '{',
      ),
      maxLength: 20,
    }),
    fc.constantFrom(
      '',
      '-n',
      '--',
      '-e',
      '$(id)',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: shell text
      '${x}',
      '`id`',
      "'",
      "''",
      '\\',
      '\\\\',
      "\\'",
      '\n',
      '\n\n',
      '~',
      '~root',
      '*',
      '%s',
      '!!',
      'a\nb\n',
    ),
  )
  .map((text) => text.replaceAll('\0', ''));

function runs(script: string): Buffer {
  return execFileSync('sh', ['-u'], { input: script, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } });
}

describe('quote', () => {
  it('gives any word back byte for byte through sh', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: WORDS_PER_SHELL }), (words) => {
        const script = words.map((w) => `printf '%s\\0' ${quote(w)}`).join('\n');
        expect(runs(script)).toEqual(Buffer.from(words.map((w) => `${w}\0`).join('')));
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a NUL byte', () => {
    expect(() => quote('a\0b')).toThrow('NUL');
  });

  it('leaves plain words readable', () => {
    expect(quote('/etc/nginx/nginx.conf')).toBe('/etc/nginx/nginx.conf');
    expect(quote('')).toBe("''");
  });
});

describe('sh', () => {
  it('makes every value exactly one word, and arrays one word each', () => {
    fc.assert(
      fc.property(word, fc.array(word, { maxLength: 20 }), fc.integer(), (one, many, number) => {
        const script = sh`set -- ${one} ${many} ${number}; printf '%s\0' "$#" "$@"`;
        const expected = [String(many.length + 2), one, ...many, String(number)];
        expect(runs(script.text)).toEqual(Buffer.from(expected.map((w) => `${w}\0`).join('')));
      }),
      { numRuns: 60 },
    );
  });

  it('quotes a quoted script once more for a shell in a shell', () => {
    fc.assert(
      fc.property(word, (text) => {
        const inner = sh`printf '%s' ${text}`;
        expect(runs(sh`sh -c ${inner.text}`.text)).toEqual(Buffer.from(text));
      }),
      { numRuns: 60 },
    );
  });

  it('inserts only Sh as code, keeps backslashes, and joins lines', () => {
    expect(lines(sh`a=${'$(id)'}`, sh`b=${sh`"$a"`}`, sh`printf '\n'`).text).toBe(
      `a='$(id)'\nb="$a"\nprintf '\\n'`,
    );
    expect(command(['rm', '-f', '--', 'a b']).text).toBe("rm -f -- 'a b'");
  });
});
