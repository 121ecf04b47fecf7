import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { doaas } from '../cli/testing.ts';
import { renderPlan } from '../github/render/plan.ts';
import { hostPlan, plan, planView, step } from '../github/render/testing.ts';
import type { Finding } from '../plan/step.ts';
import { openStore, type Store } from '../store/store.ts';
import { recordPlan } from './recordPlan.ts';

/** A real store; what the check says of a plan must be found whole by the command line. */
let dir = '';
let store: Store;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-record-'));
  vi.stubEnv('DOAAS_DATA_DIR', dir);
  vi.stubEnv('DATABASE_URL', undefined);
  store = await openStore({ file: join(dir, 'store.sqlite') });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await store.close();
  await rm(dir, { recursive: true });
});

const pull = (number: number) => ({
  repository: { owner: 'acme', name: 'infra', installationId: 1 },
  number,
});
const REVISION = { headSha: 'a'.repeat(40), baseSha: 'b'.repeat(40) };
const error = (message: string): Finding => {
  return { kind: 'finding', severity: 'error', host: 'web-1', document: 'Configuration/web', message };
};
const away = (host: string) => ({ host, message: `${host} does not answer`, away: true, cause: undefined });
const record = (made: Parameters<typeof recordPlan>[3], number = 7) =>
  recordPlan({ store, planUrl: () => undefined }, pull(number), REVISION, made);

describe('a plan that failed', () => {
  test('is shown whole by what the comment names', async () => {
    const lines = Array.from({ length: 900 }, (_, i) => `+line ${i}`).join('\n');
    const made = plan(hostPlan('web-1', [step({ diff: lines })], [error('no such unit')]));
    const problems = Array.from({ length: 30 }, (_, i) => away(`db-${i}`));
    const name = await record({ plan: made, problems });
    const { body } = renderPlan(planView({ plan: made, name, unreachable: problems }));
    const shown = /Plan ([0-9a-f]{8}),/.exec(body)?.[1] ?? '';
    const { status, stdout } = await doaas(['plan', 'show', shown]);
    expect(status).toBe(0);
    expect(stdout).toContain('acme/infra#7');
    expect(stdout).toContain('+line 899\n');
    expect(stdout).toContain('error: no such unit (Configuration/web)');
    expect(stdout).toContain('db-29\n  error: db-29 does not answer (Server/db-29)\n');
    expect(stdout).toMatch(/\nCannot be applied: 31 errors above\n$/);
  });

  test('is not the plan that could be applied, nor one with other words', async () => {
    const made = plan(hostPlan('web-1', [step()]));
    const first = await record({ plan: made, problems: [away('db-1')] }, 7);
    const second = await record({ plan: made, problems: [away('db-2')] }, 8);
    expect(new Set([made.digest, first.digest, second.digest]).size).toBe(3);
    expect((await doaas(['plan', 'show', first.digest])).stdout).toContain('db-1 does not answer');
    expect(await store.plans.get(made.digest)).toBeUndefined();
  });
});

test('a plan without steps is shown whole too', async () => {
  const remark: Finding = { ...error('vm.swappiness is not applicable here'), severity: 'info' };
  const name = await record({ plan: plan(hostPlan('web-1', [], [remark])), problems: [] });
  const { stdout } = await doaas(['plan', 'show', name.digest]);
  expect(stdout).toContain('web-1: nothing to change\n  info: vm.swappiness is not applicable here');
  expect(stdout).toMatch(/\nNothing to change\n$/);
});
