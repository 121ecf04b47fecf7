import type { Random } from './random.ts';

/** Pieces that mean something to a shell, Markdown, YAML, a terminal, UTF-8 or JavaScript. `canary` is harmless. */
export const HOSTILE: readonly Buffer[] = [
  ...[
    '\0',
    '\n',
    '\r\n',
    '\r',
    '\t',
    ' ',
    '\u2028',
    '\u00a0',
    '\ufeff',
    '\u202e',
    '\u200b',
    '💥',
    'é',
    'e\u0301',
  ],
  ...['\x1b[2J', '\x1b]0;canary\x07', '\x1b[8m', '\x7f', '\x08'],
  ...[
    '$(canary)',
    '`canary`',
    ';canary;',
    '|canary',
    '&canary&',
    "'",
    '"',
    '\\',
    '$IFS',
    '*',
    '~',
    '!!',
    '<<EOF\n',
  ],
  ...[
    '|',
    '```',
    '````',
    '@canary',
    '<canary>',
    '</details>',
    '<!--',
    '-->',
    '](http://canary)',
    '![',
    '#1',
    'GH-1',
  ],
  ...['www.canary.example', '\\u{202e}', '&#64;', '&lt;', '# ', '---\n', '- ', '1. ', '> ', '    '],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'prototype',
    'hasOwnProperty',
    'valueOf',
    'undefined',
    'null',
    'NaN',
  ],
  ...['%', '%00', '%zz', '%2F', '..', '/../', '//', '-', '--', '-rf', '.', ':', '=', '+', ','],
  ...['0', '-1', '1e400', '0x10', '999999999999999999999', '0644', '1.10', '2147483648', '-0'],
  ...[
    '{{canary}}',
    '{{#a}}',
    '{{/a}}',
    '{{{',
    '‹secret canary›',
    '*a',
    '&a ',
    '!!str ',
    '? ',
    ': ',
    '{',
    '}',
    '[',
    ']',
  ],
].map((text) => Buffer.from(text));

/** Bytes that are no UTF-8: a stray one, a broken pair, half a surrogate, an overlong NUL, one cut off. */
const NOT_UTF8: readonly Buffer[] = ['ff', 'c328', 'eda080', 'c080', 'f09f92'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** Sizes to which a piece is repeated. Bytes; the largest is over every bound for a file. */
const AMPLIFIED: readonly number[] = [200, 2_000, 20_000, 300_000, 1_100_000];
/** Repeating much is slow, so it is seldom. */
const AMPLIFY_SHARE = 0.03;
const CHANGES_MAX = 5;
const PIECE_MAX = 64;

type Change = (random: Random, input: Buffer, others: readonly Buffer[], words: readonly Buffer[]) => Buffer;

const CHANGES: readonly Change[] = [
  (random, input, _, words) => inserted(random, input, random.pick(words)),
  (random, input, _, words) => inserted(random, input, random.pick(words)),
  (random, input) => inserted(random, input, random.pick(HOSTILE)),
  (random, input) => inserted(random, input, random.chance(0.5) ? random.pick(NOT_UTF8) : bytes(random)),
  (random, input, _, words) => replaced(random, input, random.pick(words)),
  (random, input) => replaced(random, input, random.pick(HOSTILE)),
  (random, input) => replaced(random, input, Buffer.alloc(0)),
  (random, input) => inserted(random, input, piece(random, input)),
  (random, input, others) => spliced(random, input, random.pick(others)),
];

/** A few changes of bytes. `words`: what has a meaning for the target. The same for the same chance. */
export function mutateBytes(words: readonly (string | Buffer)[] = []) {
  const known = [...words.map((word) => Buffer.from(word)), ...(words.length === 0 ? HOSTILE : [])];
  return (random: Random, input: Buffer, others: readonly Buffer[]): Buffer => {
    let out = input;
    for (let n = 1 + random.int(CHANGES_MAX); n > 0; n -= 1)
      out = random.pick(CHANGES)(random, out, others, known);
    return random.chance(AMPLIFY_SHARE) ? amplified(random, out, known) : out;
  };
}

function inserted(random: Random, input: Buffer, word: Buffer): Buffer {
  const at = random.int(input.length + 1);
  return Buffer.concat([input.subarray(0, at), word, input.subarray(at)]);
}

function replaced(random: Random, input: Buffer, word: Buffer): Buffer {
  const at = random.int(input.length + 1);
  const end = at + random.int(PIECE_MAX);
  return Buffer.concat([input.subarray(0, at), word, input.subarray(end)]);
}

function spliced(random: Random, input: Buffer, other: Buffer): Buffer {
  return Buffer.concat([
    input.subarray(0, random.int(input.length + 1)),
    other.subarray(random.int(other.length + 1)),
  ]);
}

/** What grows faster than its input shows itself only in a long one. */
function amplified(random: Random, input: Buffer, words: readonly Buffer[]): Buffer {
  const given = random.chance(0.5) ? piece(random, input) : random.pick(words);
  const unit = given.length === 0 ? Buffer.from('a') : given;
  const repeated = Buffer.alloc(random.pick(AMPLIFIED), unit);
  return inserted(random, input, repeated);
}

function piece(random: Random, input: Buffer): Buffer {
  const at = random.int(input.length + 1);
  return input.subarray(at, at + 1 + random.int(PIECE_MAX));
}

function bytes(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 1 + random.int(8) }, () => random.int(256)));
}
