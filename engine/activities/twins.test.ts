import { expect, test } from 'vitest';
import { hostKeyOf } from '../../test/hostKey.ts';
import { checkRepository } from '../spec/check.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { repository, server } from '../spec/testing.ts';
import { twinFindings } from './twins.ts';

const yaml = ['a', 'b'].map((name) => server(name)).join('---\n');
const [a, b] = checkRepository(repository({ 's.yaml': yaml })).resolution.hosts as readonly [
  ResolvedHost,
  ResolvedHost,
];
const showing = (host: ResolvedHost, ...hostKeys: string[]): ResolvedHost => ({
  ...host,
  server: { ...host.server, hostKeys },
});

test('a machine that was met under two names is in no plan', () => {
  const met = showing(b, hostKeyOf('another'), hostKeyOf('a'));
  expect(twinFindings(met, [a, met])).toEqual([
    {
      kind: 'finding',
      severity: 'error',
      host: 'b',
      document: 'Server/b',
      message:
        'b shows the same host key as a. If it is one machine, declare it once; if one was cloned from the other, give one of them host keys of its own',
    },
  ]);
});

test('machines of different keys, or of none yet, are two', () => {
  expect(twinFindings(b, [a, b])).toEqual([]);
  expect(twinFindings(showing(b), [showing(a), b])).toEqual([]);
  const sameAddress = { ...b, server: { ...b.server, address: a.server.address } };
  expect(twinFindings(sameAddress, [a, sameAddress])).toEqual([]);
});
