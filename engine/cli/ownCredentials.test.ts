import { expect, test } from 'vitest';
import { ownCredentials } from './ownCredentials.ts';

test('the settings of the engine come before the own keys', () => {
  const { keys, authority, agentSocket } = ownCredentials({
    DOAAS_SSH_KEY_FILE: '/k',
    DOAAS_SSH_CA_KEY_FILE: '/ca',
    DOAAS_SSH_CERTIFICATE_SOURCES: '10.0.0.1, 10.1.0.0/16',
    SSH_AUTH_SOCK: '',
  });
  expect(keys).toEqual([{ kind: 'key-file', path: '/k' }]);
  expect(authority).toEqual({
    key: { kind: 'key-file', path: '/ca' },
    sources: ['10.0.0.1', '10.1.0.0/16'],
  });
  expect(agentSocket).toBeUndefined();
});

test('with an authority alone no key of the own home folder is offered', () => {
  expect(ownCredentials({ DOAAS_SSH_CA_KEY_FILE: '/ca' })).toEqual({
    kind: 'credentials',
    keys: [],
    authority: { key: { kind: 'key-file', path: '/ca' } },
  });
});

test('a mistake in a setting is named', () => {
  const env = { DOAAS_SSH_CA_KEY_FILE: '/ca', DOAAS_SSH_CERTIFICATE_SOURCES: 'here' };
  expect(() => ownCredentials(env)).toThrow(/^DOAAS_SSH_CERTIFICATE_SOURCES: expected addresses/);
});
