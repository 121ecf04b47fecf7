import { expect, test } from 'vitest';
import type { HostSecurity } from './host.ts';
import { withQuotesMasked } from './quoted.ts';
import { EXPOSURE, HARDENING, PATCHES, readHost } from './testing/hosts.ts';

const mask = (text: string) => text.replaceAll('hunter2', '‹secret db›');

test('what a host says of itself is without secrets, and its names and versions are as they are', () => {
  const [curl, ...others] = PATCHES.security;
  if (curl === undefined) throw new Error('nothing is outstanding');
  const saying = (word: string) =>
    readHost('web-1', {
      exposure: { ...EXPOSURE, why: `lost: ${word}` },
      patches: {
        ...PATCHES,
        problem: `E: ${word}`,
        dpkgProblem: `dpkg: ${word}`,
        security: [{ ...curl, name: 'hunter2', keptBack: `needs ${word}` }, ...others],
      },
      hardening: [
        {
          ...HARDENING,
          failing: HARDENING.failing.map((control) => ({ ...control, attention: `see ${word}` })),
          notApplicable: [{ id: 'b', why: `it has ${word}` }],
        },
      ],
    });
  expect(withQuotesMasked(saying('hunter2'), mask)).toEqual(saying('‹secret db›'));
  const unread = (word: string): HostSecurity => ({
    kind: 'unread',
    host: 'web-1',
    problem: `exit 1: ${word}`,
    known: saying(word),
  });
  expect(withQuotesMasked(unread('hunter2'), mask)).toEqual(unread('‹secret db›'));
});
