import { describe, expect, test } from 'vitest';
import { DEFAULT_ROLLOUT, type Rollout } from '../rollout/rollout.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { planDigest } from './digest.ts';
import { matesOf, planRollout } from './rollout.ts';
import type { HostPlan } from './step.ts';
import { aStep } from './testing.ts';
import { membershipOf, sharedUnits } from './units.ts';

type Documents = Readonly<Record<string, Rollout | undefined>>;

const plan = (host: string, documents: readonly string[], wave = 0): HostPlan => ({
  kind: 'host-plan',
  host,
  steps: documents.map((document) => ({ ...aStep, id: document, host, document, wave })),
  findings: [],
  digest: host,
});
const resolved = (name: string, documents: Documents, site = ''): ResolvedHost =>
  ({
    kind: 'resolved-host',
    name,
    server: { name, site, labels: {} },
    documents: Object.entries(documents).map(([ref, rollout]) => ({
      ref,
      rollout,
      kind: 'Configuration',
      spec: {},
    })),
  }) as unknown as ResolvedHost;
const fleet = (count: number, documents: Documents) => {
  const names = Array.from({ length: count }, (_, i) => `web-${i + 1}`);
  return [
    names.map((name) => plan(name, Object.keys(documents))),
    names.map((name) => resolved(name, documents)),
  ] as const;
};
const batches = (count: number, documents: Documents) =>
  planRollout(...fleet(count, documents))?.stages.map(({ hosts }) => hosts.length);

describe('servers that stand in for each other', () => {
  const clustered = (name: string, cluster: string, rollout: Rollout | undefined): ResolvedHost => {
    const host = resolved(name, { 'PatchPolicy/a': rollout });
    return { ...host, server: { ...host.server, labels: { cluster } } };
  };
  const names = ['db-1', 'db-2', 'db-3', 'db-4'];
  const stagesOf = (rollout: Rollout | undefined) =>
    planRollout(
      names.map((name) => plan(name, ['PatchPolicy/a'])),
      names.map((name) => clustered(name, ['db-1', 'db-2'].includes(name) ? 'x' : 'y', rollout)),
    );

  test('are those with the same value of the label that a rollout names', () => {
    const all = { canary: { kind: 'hosts', hosts: 0 }, batches: [{ kind: 'share', percent: 100 }] } as const;
    const made = stagesOf({ ...DEFAULT_ROLLOUT, ...all, spread: 'cluster' });
    expect(made?.stages.map(({ hosts }) => hosts)).toEqual([
      ['db-1', 'db-3'],
      ['db-2', 'db-4'],
    ]);
    expect(made?.apart).toEqual([
      ['db-1', 'db-2'],
      ['db-3', 'db-4'],
    ]);
    expect(made?.units).toEqual({
      'db-1': ['cluster: x'],
      'db-2': ['cluster: x'],
      'db-3': ['cluster: y'],
      'db-4': ['cluster: y'],
    });
    expect(stagesOf({ ...DEFAULT_ROLLOUT, ...all })?.units).toBeUndefined();
    expect(stagesOf({ ...DEFAULT_ROLLOUT, ...all })?.stages.map(({ hosts }) => hosts)).toEqual([names]);
  });

  test('are also those that the plan does not change, such as one that could not be read', () => {
    const spread = { ...DEFAULT_ROLLOUT, spread: 'cluster' };
    const plans = [plan('db-1', ['PatchPolicy/a']), plan('db-3', [])];
    const made = planRollout(
      plans,
      names.map((name) => clustered(name, ['db-1', 'db-2'].includes(name) ? 'x' : 'y', spread)),
    );
    expect(made?.stages.map(({ hosts }) => hosts)).toEqual([['db-1']]);
    expect(made?.apart).toEqual([['db-1', 'db-2']]);
    expect(made?.units).toEqual({ 'db-1': ['cluster: x'] });
    expect(matesOf({ hosts: plans, ...(made && { rollout: made }) })).toEqual(['db-2']);
  });

  test('are also those of a kind that says so, whatever document has the step', () => {
    const hosts = new Map(names.map((name) => [name, resolved(name, { 'PostgresCluster/main': undefined })]));
    const unitsOf = membershipOf(hosts, [], () => ['members']);
    expect(unitsOf('db-1')).toEqual(['PostgresCluster/main members']);
    expect(unitsOf('elsewhere')).toEqual([]);
    expect(sharedUnits(['db-1', 'db-2', 'elsewhere'], unitsOf)).toEqual([['db-1', 'db-2']]);
  });
});

describe('the rollout of a plan', () => {
  test('is none without a step', () => {
    expect(planRollout([plan('web-1', [])], [resolved('web-1', {})])).toBeUndefined();
  });

  test('never begins with two hosts at once: they may stand in for each other', () => {
    const sizes = [1, 2, 3].map((count) => batches(count, { 'Configuration/a': undefined }));
    expect(sizes).toEqual([[1], [1, 1], [1, 1, 1]]);
    const [first, second] = planRollout(...fleet(2, { 'Configuration/a': undefined }))?.stages ?? [];
    expect(first).toMatchObject({ hosts: ['web-1'], canary: true, verify: true });
    expect(second).toMatchObject({ hosts: ['web-2'], canary: false });
  });

  test('has no ceremony between the waves of one host, unless a document declares one', () => {
    const stages = (rollout: Rollout | undefined) => {
      const steps = [0, 1].flatMap((wave) => plan('db', ['Configuration/a'], wave).steps);
      return planRollout([{ ...plan('db', []), steps }], [resolved('db', { 'Configuration/a': rollout })])
        ?.stages;
    };
    expect(stages(undefined)?.map(({ verify }) => verify)).toEqual([false, false]);
    expect(stages(DEFAULT_ROLLOUT)?.map(({ verify }) => verify)).toEqual([true, false]);
  });

  test('counts a document without one with the defaults, and names those that declare one', () => {
    const loose: Rollout = { ...DEFAULT_ROLLOUT, batches: [{ kind: 'share', percent: 100 }] };
    expect(batches(8, { 'Configuration/a': loose })).toEqual([1, 7]);
    expect(batches(8, { 'Configuration/a': loose, 'Configuration/b': undefined })).toEqual([1, 2, 2, 2, 1]);
    const [plans, hosts] = fleet(8, { 'Configuration/a': loose, 'Configuration/b': undefined });
    expect(planRollout(plans, hosts)?.documents).toEqual(['Configuration/a']);
  });

  test('counts only documents that have a step', () => {
    const slow: Rollout = { ...DEFAULT_ROLLOUT, pauseSeconds: 600 };
    const names = ['web-1', 'web-2', 'web-3'];
    const hosts = names.map((name) =>
      resolved(name, { 'Configuration/a': undefined, 'Configuration/b': slow }),
    );
    const plans = names.map((name) => plan(name, ['Configuration/a']));
    expect(planRollout(plans, hosts)?.rules.pauseSeconds).toBe(0);
  });

  test('finishes a wave before the next, which begins with its canary again', () => {
    const names = ['web-1', 'web-2', 'web-3', 'web-4'];
    const both = (host: string): HostPlan => ({
      ...plan(host, []),
      steps: [...plan(host, ['Configuration/a']).steps, ...plan(host, ['Configuration/b'], 1).steps],
    });
    const stages =
      planRollout(
        names.map(both),
        names.map((name) => resolved(name, {})),
      )?.stages ?? [];
    expect(stages.map(({ wave, hosts, canary }) => [wave, hosts.length, canary])).toEqual([
      [0, 1, true],
      [0, 1, false],
      [0, 1, false],
      [0, 1, false],
      [1, 1, true],
      [1, 1, false],
      [1, 1, false],
      [1, 1, false],
    ]);
  });

  test('goes site by site', () => {
    const hosts = [resolved('a', {}, 'south'), resolved('b', {}, 'north'), resolved('c', {}, 'north')];
    const plans = ['a', 'b', 'c'].map((name) => plan(name, ['Configuration/a']));
    expect(planRollout(plans, hosts)?.stages.flatMap((stage) => stage.hosts)).toEqual(['b', 'c', 'a']);
  });

  test('is part of what is approved; who declared it is not', () => {
    const [plans, hosts] = fleet(8, { 'Configuration/a': undefined });
    const [, slower] = fleet(8, { 'Configuration/a': { ...DEFAULT_ROLLOUT, pauseSeconds: 60 } });
    const digest = planDigest(plans, planRollout(plans, hosts));
    expect(planDigest(plans, planRollout(plans, slower))).not.toBe(digest);
    const [, same] = fleet(8, { 'Configuration/a': DEFAULT_ROLLOUT });
    expect(planDigest(plans, planRollout(plans, same))).toBe(digest);
  });
});
