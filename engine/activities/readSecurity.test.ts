import { expect, test } from 'vitest';
import { HostError } from '../hosts/host-error.ts';
import type { Transport } from '../hosts/session.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { readSecurity } from './readSecurity.ts';

const HOST: ResolvedHost = {
  kind: 'resolved-host',
  name: 'web-1',
  server: {
    name: 'web-1',
    address: '10.0.0.1',
    port: 22,
    user: 'deploy',
    become: 'sudo',
    hostKeys: [],
    site: 'default',
    labels: {},
  },
  documents: [],
};

/** Each time one is wanted, the next of these is what becomes of it. */
function failing(...errors: readonly HostError[]) {
  let tries = 0;
  const withSession = () => Promise.reject(errors[tries++]);
  const transport: Transport = {
    withSession,
    withFreshSession: withSession,
    empty: async () => undefined,
    close: async () => undefined,
  };
  return { transport, tries: () => tries };
}

const lost = (ambiguous: boolean) => new HostError('connection-lost', 'web-1', 'it was lost', { ambiguous });
const away = new HostError('unreachable', 'web-1', 'it is away');

test.each([
  ['a kept connection that was dead is made anew, once', [lost(false), away], 2, 'it is away'],
  ['one that ran something is not', [lost(true), away], 1, 'it was lost'],
  ['nor is a server asked twice that does not answer', [away, away], 1, 'it is away'],
] as const)('%s', async (_, errors, tries, problem) => {
  const { transport, tries: tried } = failing(...errors);
  expect(await readSecurity(transport, [HOST])).toEqual([{ kind: 'unread', host: 'web-1', problem }]);
  expect(tried()).toBe(tries);
});
