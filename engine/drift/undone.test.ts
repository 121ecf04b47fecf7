import { expect, test } from 'vitest';
import { hostPlan, plan, step } from '../github/render/testing.ts';
import { undoneOf } from './undone.ts';

test('what a plan is still to change on a server is that step there, and nothing else', () => {
  const undone = undoneOf([plan(hostPlan('web-1', [step({ id: 'file:/etc/motd' })]))]);
  expect(undone({ host: 'web-1', stepId: 'file:/etc/motd' })).toBe(true);
  expect(undone({ host: 'web-2', stepId: 'file:/etc/motd' })).toBe(false);
  expect(undone({ host: 'web-1', stepId: 'file:/etc/issue' })).toBe(false);
  expect(undoneOf([])({ host: 'web-1', stepId: 'file:/etc/motd' })).toBe(false);
});
