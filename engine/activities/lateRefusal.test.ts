import { expect, test } from 'vitest';
import type { ItemKey } from '../facts/fact.ts';
import type { HostPlan, Step } from '../plan/step.ts';
import { aStep } from '../plan/testing.ts';
import { lateRefusal } from './lateRefusal.ts';

const plan = (...steps: readonly Step[]): { readonly hosts: readonly HostPlan[] } => ({
  hosts: [{ kind: 'host-plan', host: 'web-1', steps, findings: [], digest: '' }],
});
const file = (path: string, absent: readonly ItemKey[] = []): Step => ({
  ...aStep,
  id: `file:${path}`,
  params: { ...aStep.params, path },
  absent,
});

test('a merged change of a way in is left to its revert, which is confirmed by a login', () => {
  expect(lateRefusal(plan(file('/etc/motd'), file('/srv/app.conf')))).toBeUndefined();
  const refused = lateRefusal(plan(file('/etc/motd'), file('/etc/ssh/sshd_config.d/ports.conf')));
  expect(refused).toMatch(
    /^it changed what people and the engine get in by\. .*It is about file:\/etc\/ssh\/sshd_config\.d\/ports\.conf on web-1$/,
  );
  expect(refused).toMatch(/Apply the pull request that reverts it/);
});

test('also an account that it made, for somebody may log in as that by now', () => {
  const made: Step = {
    ...aStep,
    id: 'user:deploy',
    operation: 'user.set',
    params: { name: 'deploy' },
    absent: ['user:deploy'],
  };
  expect(lateRefusal(plan(made))).toMatch(/user:deploy on web-1/);
});
