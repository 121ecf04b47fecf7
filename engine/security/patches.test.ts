import { expect, it } from 'vitest';
import { changelogQuery } from './patches.ts';
import { PATCHES } from './testing/hosts.ts';

it('a changelog is read down to the version of the source, as it has no others', () => {
  const [curl] = PATCHES.security;
  const bsdutils = {
    name: 'bsdutils',
    from: '1:2.38.1-5+deb12u1',
    to: '1:2.38.1-5+deb12u3',
    source: 'util-linux',
    sourceVersion: '2.38.1-5+deb12u1',
  };
  expect(changelogQuery(bsdutils)).toEqual({
    fact: 'changelog',
    key: 'bsdutils',
    from: '2.38.1-5+deb12u1',
  });
  expect(curl && changelogQuery(curl).from).toBe('7.88.1-10+deb12u4');
});
