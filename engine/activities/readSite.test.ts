import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { expect, test } from 'vitest';
import { HostError } from '../hosts/host-error.ts';
import type { HostTarget } from '../hosts/target.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { siteActivities } from './readSite.ts';
import type { SiteReading } from './types.ts';

const server = {
  name: 'press-1',
  address: '10.8.0.5',
  port: 22,
  user: 'root',
  become: 'none' as const,
  site: 'berlin',
  hostKeys: [],
  labels: {},
};
const host: ResolvedHost = { kind: 'resolved-host', name: 'press-1', server, documents: [] };
const lost = new HostError('unreachable', 'press-1', 'press-1 cannot be reached');

/** Nobody answers; `asked`: who was. */
function siteOf(asked: string[], hostOutageSeconds: number) {
  const tree = { resolution: { hosts: [host] }, hosts: [host], payloads: new Map() };
  const resolved = { kind: 'resolved', merged: tree, base: tree, changed: [host], dropped: [], errors: [] };
  const engine = {
    config: { hostOutageSeconds },
    revisions: { resolve: async () => ({ ...resolved, changedItems: () => new Set() }) },
    secrets: { open: () => ({ mask: (text: string) => text }) },
    transport: {
      withSession: (target: HostTarget) => {
        asked.push(target.name);
        return Promise.reject(lost);
      },
    },
    store: {
      hosts: { facts: async () => ({}) },
      runs: { openStates: async () => [] },
      plans: { save: async () => undefined },
    },
  } as unknown as Engine;
  return (more: Pick<SiteReading, 'patient' | 'leftOut'>, activityId: string) => {
    const context = { info: { activityId, workflowExecution: { runId: 'r' } } } as Context;
    const reading = {
      pull: { repository: { owner: 'acme', name: 'infra', installationId: 1 }, number: 1 },
      revision: { headSha: 'h', baseSha: 'b' },
      site: 'berlin',
      ...more,
    };
    return asyncLocalStorage.run(context, () => siteActivities(engine).readSite(reading));
  };
}

test('a server of a site that does not answer is a result of a plan', async () => {
  const { problems } = await siteOf([], 60)({}, 'plan');
  expect(problems).toEqual([{ host: 'press-1', message: 'press-1 cannot be reached', away: true }]);
});

test('and in a run is looked for again, until it was silent for too long', async () => {
  await expect(siteOf([], 60)({ patient: true }, 'again')).rejects.toBe(lost);
  const { problems } = await siteOf([], 0)({ patient: true }, 'over');
  expect(problems).toMatchObject([{ host: 'press-1', away: false }]);
  expect(problems[0]?.message).toMatch(/^nothing could be done on press-1 for \d+ s \(DOAAS_HOST_OUTAGE_S/);
});

test('one that the run does not change any more is not asked', async () => {
  const asked: string[] = [];
  const part = await siteOf(asked, 60)({ patient: true, leftOut: ['press-1'] }, 'left-out');
  expect(part.problems).toEqual([]);
  expect(asked).toEqual([]);
});
