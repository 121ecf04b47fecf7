import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Plan } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { siteActivities } from './readSite.ts';
import {
  elsewhere,
  joined,
  plannedElsewhere,
  siteQueue,
  unservedHosts,
  withMatesElsewhere,
} from './sites.ts';
import type { PlanRef } from './types.ts';

function host(name: string, site: string): ResolvedHost {
  const server = {
    name,
    address: '10.0.0.1',
    port: 22,
    user: 'root',
    become: 'none' as const,
    site,
    hostKeys: [],
    labels: {},
  };
  return { kind: 'resolved-host', name, server, documents: [] };
}

function planOf(...names: string[]): Plan {
  const hosts = names.map((name) => ({
    kind: 'host-plan' as const,
    host: name,
    steps: [],
    findings: [],
    digest: name,
  }));
  return { kind: 'plan', hosts, digest: names.join() };
}

describe('sites that are left to others', () => {
  test.each([
    ['nothing is set: one process reaches all', undefined, ['default', 'berlin'], []],
    ['its own are not', ['default', 'paris'], ['default', 'paris'], []],
    [
      'others are, each once, sorted',
      ['default'],
      ['paris', 'berlin', 'default', 'paris'],
      ['berlin', 'paris'],
    ],
  ])('%s', (_, own, sites, expected) => {
    expect(elsewhere(own, sites)).toEqual(expected);
  });
});

describe('what the workers of sites have read', () => {
  const hosts = [host('a', 'berlin'), host('b', 'berlin'), host('c', 'default')];
  const store = { plans: { get: async (digest: string) => (digest === 'a' ? planOf('a') : undefined) } };
  const planned = (...parts: Parameters<typeof plannedElsewhere>[1]) =>
    plannedElsewhere({ store } as unknown as Parameters<typeof plannedElsewhere>[0], parts, hosts);

  test('stands beside the rest as if it had been read here', async () => {
    const problem = { host: 'b', message: 'b does not answer', away: true };
    expect(await planned({ site: 'berlin', digest: 'a', problems: [problem] })).toEqual([
      { kind: 'planned', plan: planOf('a').hosts[0], readings: new Map(), seals: new Map() },
      { kind: 'problem', ...problem, cause: undefined },
    ]);
  });

  test('is missing for every server of a site that nobody serves, which is said and not taken for silence', async () => {
    const found = await planned({ site: 'berlin', problems: [] });
    expect(found.map((each) => each.kind === 'problem' && [each.host, each.away])).toEqual([
      ['a', false],
      ['b', false],
    ]);
    expect(found[0]).toMatchObject({
      message: expect.stringMatching(/^no worker serves the site berlin\. Start/),
    });
  });

  test('names whom nobody reaches: hosts of a site that nobody serves', () => {
    const unserved = (...parts: Parameters<typeof unservedHosts>[0]) =>
      unservedHosts(parts, hosts).map(({ name }) => name);
    expect(unserved({ site: 'berlin', problems: [] })).toEqual(['a', 'b']);
    expect(unserved({ site: 'berlin', digest: 'a', problems: [] })).toEqual([]);
    expect(unserved()).toEqual([]);
  });

  test('must be in the store', async () => {
    await expect(planned({ site: 'berlin', digest: 'gone', problems: [] })).rejects.toThrow(/plan again/);
  });

  test('becomes one plan in the order of the repository', () => {
    const all = joined([planOf('c'), planOf('b', 'a')], hosts);
    expect(all.hosts.map((each) => each.host)).toEqual(['a', 'b', 'c']);
  });
});

describe('whether a site is served', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** By Temporal's clock: the worker asked for work so long before it was asked about. */
  const served = (askedAgoMs: number) => {
    const scheduled = Date.parse('2026-11-26T08:00:00Z');
    const lastAccessTime = { seconds: (scheduled - askedAgoMs) / 1000, nanos: 0 };
    const describeTaskQueue = async ({ taskQueue }: { readonly taskQueue: { readonly name: string } }) => ({
      pollers: taskQueue.name === siteQueue('berlin') ? [{ lastAccessTime }] : [],
    });
    const temporal = { workflowService: { describeTaskQueue }, options: { namespace: 'default' } };
    const context = { info: { currentAttemptScheduledTimestampMs: scheduled } } as Context;
    vi.useFakeTimers({ toFake: ['Date'], now: scheduled });
    const { isServed } = siteActivities({ temporal } as unknown as Engine);
    return (site: string) => asyncLocalStorage.run(context, () => isServed(site));
  };

  test.each([0, 7200, -7200])(
    'is told rightly by a clock of the engine that is set by %d s',
    async (seconds) => {
      const living = served(60_000);
      const dead = served(120_000);
      vi.setSystemTime(Date.now() + seconds * 1000);
      expect(await living('berlin')).toBe(true);
      expect(await living('paris')).toBe(false);
      expect(await dead('berlin')).toBe(false);
    },
  );
});

describe('mates of the hosts of a plan', () => {
  const hosts = [host('db-1', 'default'), host('db-2', 'paris'), host('db-3', 'default')];
  const rollout = { apart: [['db-1', 'db-2', 'db-3']] };
  const plan = { ...planOf('db-1'), rollout } as unknown as Plan;
  const ref = { digest: 'd', rollout } as unknown as PlanRef;
  const told = (sites: readonly string[] | undefined) =>
    withMatesElsewhere({ config: { sites } as Engine['config'] }, ref, plan, hosts);

  test('are named with their site where only its workers reach them', () => {
    const matesElsewhere = [{ name: 'db-2', site: 'paris' }];
    expect(told(['default'])).toEqual({ ...ref, rollout: { ...rollout, matesElsewhere } });
  });

  test('are not where the engine reaches all', () => {
    expect(told(undefined)).toBe(ref);
  });
});
