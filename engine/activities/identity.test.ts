import { expect, test } from 'vitest';
import { isSameMachine } from '../store/machine.ts';
import { identityOf } from './identity.ts';

const ED = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const EC =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJvPNzOb0VXQy0k5Zr8lGQhmJt3ZL0kcSpPRHnwzXJmE';
const at = (address: string, ...hostKeys: string[]) => identityOf({ address, port: 22, hostKeys });

test.each([
  ['the same', at('10.0.0.5', ED), at('10.0.0.5', ED), true],
  ['another address of it', at('10.0.0.5', ED), at('web.example', ED), true],
  ['a name in other letters', at('web.example', ED), at('WEB.example', ED), true],
  ['one that another key was added to', at('10.0.0.5', ED), at('10.0.0.5', EC, ED), true],
  ['keys in another order', at('10.0.0.5', ED, EC), at('10.0.0.5', EC, ED), true],
  ['another machine with that address, as in another site', at('10.0.0.5', ED), at('10.0.0.5', EC), false],
  ['two without a key', at('10.0.0.5'), at('10.0.0.6'), false],
  ['names that are no identities', 'x', 'x', true],
  ['other names that are no identities', 'x', 'y', false],
])('a machine is known by its keys: %s', (_, one, other, same) => {
  expect(isSameMachine(one, other)).toBe(same);
  expect(isSameMachine(other, one)).toBe(same);
});
