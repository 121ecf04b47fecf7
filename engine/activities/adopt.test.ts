import { expect, test } from 'vitest';
import { nothingSentence, textsOf } from './adopt.ts';

test('that nothing is adopted is said with its true reason', () => {
  expect(nothingSentence(0, [], [])).toBe('the servers do not differ from the document any more');
  expect(nothingSentence(2, ['web-2'], [])).toBe('nothing of what differs can be said in the document');
  const read = { site: 'berlin', kept: ['a'], unread: ['web-2'] };
  const away = 'the servers web-2 cannot be read now, and the others do not differ';
  expect(nothingSentence(0, ['web-2'], [read])).toBe(away);
  expect(nothingSentence(0, ['web-2'], [{ site: 'paris', unread: [] }])).toBe(
    `${away}: no worker serves the site paris. Start one that reaches its servers, with DOAAS_ROLE=site and DOAAS_SITES=paris, or correct the site in the Server document`,
  );
  const busy = 'left out, as a run that has not ended is to change them: web-1. Ask again once it has';
  expect(nothingSentence(0, [], [], ['web-1'])).toBe(
    `the other servers do not differ from the document any more; ${busy}`,
  );
  expect(nothingSentence(2, [], [], ['web-1'])).toBe(
    `nothing of what differs can be said in the document; ${busy}`,
  );
  expect(nothingSentence(0, ['web-2'], [read], ['web-1'])).toBe(`${away}; ${busy}`);
});

test('a byte order mark of a file stays where it is', () => {
  const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61);
  const texts = textsOf(new Map([['a.yaml', marked]]));
  expect(Buffer.from(texts.get('a.yaml') ?? '')).toEqual(Buffer.from(marked));
});
