import { expect, test } from 'vitest';
import { nextLook } from './nextLook.ts';

const OPENS = Date.parse('2026-11-28T02:00:00Z');
const at = (time: string) => Date.parse(`2026-11-28T${time}Z`);

test('servers are read again when the window opens', () => {
  expect(nextLook(OPENS, at('01:00:00'))).toBe(OPENS);
  expect(nextLook(OPENS, at('01:59:59'))).toBe(OPENS);
});

test('once it should be open and is not, never sooner than a minute later, however often, and at one time for all', () => {
  const looks = [OPENS];
  for (let n = 0; n < 5; n += 1) looks.push(nextLook(OPENS, (looks.at(-1) ?? 0) + 20_000));
  expect(looks.slice(1).map((look) => new Date(look).toISOString().slice(11, 19))).toEqual([
    '02:02:00',
    '02:04:00',
    '02:06:00',
    '02:08:00',
    '02:10:00',
  ]);
  expect(nextLook(OPENS, at('02:00:01'))).toBe(nextLook(OPENS, at('02:00:40')));
});
