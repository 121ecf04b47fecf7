import { expect, test } from 'vitest';
import { capabilityOf } from './people.ts';

test.each([
  ['apply', undefined, 'apply'],
  // for those whom the policy names, who need not be among those who may apply
  ['apply', 'override', 'override'],
  ['apply', 'break-glass', 'breakGlass'],
  ['cancel', undefined, 'cancel'],
  ['rollback', undefined, 'rollback'],
  ['unlock', undefined, 'unlock'],
  ['plan', undefined, undefined],
  ['constructor', undefined, undefined],
] as const)('`%s` with %s asks for %s', (command, override, wanted) => {
  expect(capabilityOf(command, override)).toBe(wanted);
});
