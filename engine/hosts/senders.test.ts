import { expect, test } from 'vitest';
import { readRoutes } from './senders.ts';

const ASKED = ['10.77.0.3', 'fd77:5::1', '10.9.9.9', '127.0.0.1'];

test('the sender is what the route to each address says', () => {
  const output = `~ 10.77.0.3
10.77.0.3 dev host0 src 10.77.0.2 uid 1000 \\    cache 
~ fd77:5::1
fd77:5::1 from :: dev host0 proto kernel src fd77:5::2 metric 256 pref medium
~ 10.9.9.9
~ 127.0.0.1
local 127.0.0.1 dev lo src 127.0.0.1 uid 0 \\    cache <local> 
`;
  expect([...readRoutes(output, ASKED)]).toEqual([
    ['10.77.0.3', '10.77.0.2'],
    ['fd77:5::1', 'fd77:5::2'],
    ['127.0.0.1', '127.0.0.1'],
  ]);
});

test.each([
  ['another family', '10.77.0.3 dev host0 src fd77::2'],
  ['no address', '10.77.0.3 dev host0 src 1.2.3'],
  ['two of them', '10.77.0.3 dev host0 src 10.77.0.2 src 10.77.0.4'],
  ['two answers', '10.77.0.3 dev host0 src 10.77.0.2\n10.77.0.3 dev host1'],
  ['a part of a word', '10.77.0.3 dev host0 src 10.77.0.2x'],
])('%s is no sender', (_, answer) => {
  expect(readRoutes(`~ 10.77.0.3\n${answer}\n`, ASKED).size).toBe(0);
});

test('what was not asked for is not taken', () => {
  expect(readRoutes('~ 10.77.0.9\n10.77.0.9 dev host0 src 10.77.0.2\n', ASKED).size).toBe(0);
});
