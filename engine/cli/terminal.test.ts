import { expect, test } from 'vitest';
import { painter, printable } from './terminal.ts';

const io = (isTTY: boolean | undefined) => ({
  stdout: { write: () => true, ...(isTTY === undefined ? {} : { isTTY }) },
  stderr: { write: () => true },
});

test.each([
  ['a terminal', true, {}, '\u001b[31mno\u001b[0m'],
  ['a terminal of somebody who wants none', true, { NO_COLOR: '1' }, 'no'],
  [
    'a terminal with an empty NO_COLOR, which counts as not set',
    true,
    { NO_COLOR: '' },
    '\u001b[31mno\u001b[0m',
  ],
  ['a pipe', undefined, {}, 'no'],
  ['a file', false, {}, 'no'],
])('colours: %s', (_where, isTTY, env, text) => {
  expect(painter(io(isTTY), env)('red', 'no')).toBe(text);
});

test('what turns the direction of text or shows nothing does not reach the terminal', () => {
  expect(printable('a\u202eb\u200bc\u2028d\u3164e')).toBe('a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e');
});
