import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atLeast, atMost } from './amounts.ts';
import type { Membership } from './apart.ts';
import { hostOrder, type Placed } from './hostOrder.ts';
import { type Amount, DEFAULT_ROLLOUT, type Rollout } from './rollout.ts';
import { stagesOf } from './stages.ts';
import { type Rules, strictest } from './strictest.ts';

const named = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `web-${i + 1}`);
const sizes = (count: number, rollouts: readonly Rollout[]): readonly number[] =>
  stagesOf([{ wave: 0, hosts: named(count) }], strictest(rollouts, count)).map(({ hosts }) => hosts.length);
const share = (percent: number): Amount => ({ kind: 'share', percent });
const servers = (hosts: number): Amount => ({ kind: 'hosts', hosts });

const amounts = fc.oneof(
  fc.integer({ min: 1, max: 100 }).map(share),
  fc.integer({ min: 1, max: 30 }).map(servers),
);
const rollouts: fc.Arbitrary<Rollout> = fc.record(
  {
    canary: fc.oneof(amounts, fc.constant(servers(0))),
    batches: fc.array(amounts, { minLength: 1, maxLength: 5 }),
    maxUnavailable: amounts,
    pauseSeconds: fc.nat({ max: 600 }),
    probes: fc.constantFrom('done', 'batch'),
    failureBudget: fc.oneof(amounts, fc.constant(servers(0))),
    onExceeded: fc.constantFrom('rollback', 'hold'),
    unreachable: fc.constantFrom('fail', 'skip', 'wait'),
  },
  {
    requiredKeys: [
      'canary',
      'batches',
      'pauseSeconds',
      'probes',
      'failureBudget',
      'onExceeded',
      'unreachable',
    ],
  },
);

describe('batches', () => {
  test.each<[string, number, readonly number[], Partial<Rollout>]>([
    ['the default', 8, [1, 2, 2, 2, 1], {}],
    ['the default of a hundred', 100, [1, 25, 25, 25, 24], {}],
    ['a share of a few is not none', 3, [1, 1, 1], {}],
    ['a canary of a share', 20, [2, 5, 5, 5, 3], { canary: share(10) }],
    ['no canary', 8, [2, 2, 2, 2], { canary: servers(0) }],
    ['a list, whose last entry repeats', 10, [1, 1, 3, 3, 2], { batches: [servers(1), servers(3)] }],
    ['a bound of every batch', 8, [1, 1, 1, 1, 1, 1, 1, 1], { maxUnavailable: share(12) }],
    ['all that are left', 4, [1, 3], { batches: [share(100)] }],
  ])('%s', (_, count, expected, given) => {
    expect(sizes(count, [{ ...DEFAULT_ROLLOUT, ...given }])).toEqual(expected);
  });

  test('hold every host of every wave once, in order, and never more than may be unavailable', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
        fc.array(rollouts, { maxLength: 3 }),
        (counts, given) => {
          const waves = counts.map((count, wave) => ({ wave, hosts: named(count) }));
          const rules = strictest(given, Math.max(...counts));
          const stages = stagesOf(waves, rules);
          for (const { wave, hosts } of waves)
            expect(stages.filter((stage) => stage.wave === wave).flatMap((stage) => stage.hosts)).toEqual(
              hosts,
            );
          expect(stages.map(({ wave }) => wave)).toEqual(
            stages.map(({ wave }) => wave).sort((a, b) => a - b),
          );
          for (const { hosts } of stages) {
            expect(hosts.length).toBeGreaterThan(0);
            expect(hosts.length).toBeLessThanOrEqual(rules.maxUnavailable ?? Number.POSITIVE_INFINITY);
          }
          expect(stages.slice(0, -1).every(({ verify }) => verify)).toBe(true);
        },
      ),
    );
  });
});

describe('members of one unit', () => {
  const units = (pairs: Readonly<Record<string, readonly string[]>>) => (host: string) => pairs[host] ?? [];
  const inBatches = (count: number, rules: Partial<Rollout>, unitsOf: Membership) =>
    stagesOf(
      [{ wave: 0, hosts: named(count) }],
      strictest([{ ...DEFAULT_ROLLOUT, ...rules }], count),
      unitsOf,
    ).map(({ hosts }) => hosts);

  test('are changed one after the other; others fill their places in the order of the fleet', () => {
    const cluster = units({ 'web-2': ['a'], 'web-3': ['a'], 'web-4': ['a'] });
    expect(inBatches(6, { batches: [servers(2)] }, cluster)).toEqual([
      ['web-1'],
      ['web-2', 'web-5'],
      ['web-3', 'web-6'],
      ['web-4'],
    ]);
  });

  test('never make one batch, also where all hosts may be changed at once', () => {
    const all = { canary: servers(0), batches: [share(100)] };
    expect(inBatches(3, all, () => ['a'])).toEqual([['web-1'], ['web-2'], ['web-3']]);
  });

  test('may be of several units; every host has its turn once, and no batch two members of any', () => {
    const unitsOfHosts = fc.array(fc.subarray(['a', 'b', 'c', 'd']), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(unitsOfHosts, rollouts, (given, rollout) => {
        const unitsOf: Membership = (host) => given[named(given.length).indexOf(host)] ?? [];
        const batches = inBatches(given.length, rollout, unitsOf);
        expect(batches.flat().sort()).toEqual([...named(given.length)].sort());
        for (const batch of batches) {
          const taken = batch.flatMap(unitsOf);
          expect(new Set(taken).size).toBe(taken.length);
        }
      }),
    );
  });
});

describe('the strictest of several', () => {
  test('takes each field from whom it is strictest', () => {
    const a: Rollout = { ...DEFAULT_ROLLOUT, canary: servers(2), pauseSeconds: 60, unreachable: 'wait' };
    const b: Rollout = {
      ...DEFAULT_ROLLOUT,
      batches: [servers(1), share(50)],
      failureBudget: servers(3),
      onExceeded: 'hold',
      unreachable: 'skip',
      probes: 'batch',
    };
    expect(strictest([a, b], 8)).toEqual({
      canary: 1,
      batches: [1, 2],
      pauseSeconds: 60,
      probes: 'done',
      failureBudget: 0,
      onExceeded: 'rollback',
      unreachable: 'wait',
    } satisfies Rules);
  });

  test('is no looser than any of them, and the same in any order', () => {
    fc.assert(
      fc.property(
        fc.array(rollouts, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (given, fleet) => {
          const rules = strictest(given, fleet);
          expect(strictest([...given].reverse(), fleet)).toEqual(rules);
          for (const one of given) {
            const alone = strictest([one], fleet);
            expect(rules.failureBudget).toBeLessThanOrEqual(alone.failureBudget);
            expect(rules.pauseSeconds).toBeGreaterThanOrEqual(alone.pauseSeconds);
            expect(rules.maxUnavailable ?? Infinity).toBeLessThanOrEqual(alone.maxUnavailable ?? Infinity);
            rules.batches.forEach((size, i) => {
              expect(size).toBeLessThanOrEqual(alone.batches[Math.min(i, alone.batches.length - 1)] ?? fleet);
            });
          }
        },
      ),
    );
  });
});

test('a share is rounded up for sizes, and down for what may fail', () => {
  expect([atLeast(share(10), 8), atMost(share(10), 8), atMost(share(25), 8)]).toEqual([1, 0, 2]);
});

describe('the order of hosts', () => {
  const at = (name: string, site = ''): Placed => ({ name, site });

  test('is by site, then by name, with numbers by their value', () => {
    const hosts = [at('web-10'), at('web-9'), at('web-1', 'b'), at('db', 'a'), at('web')];
    expect([...hosts].sort(hostOrder).map(({ name, site }) => `${site}/${name}`)).toEqual([
      '/web',
      '/web-9',
      '/web-10',
      'a/db',
      'b/web-1',
    ]);
  });

  test('is total, so the same fleet always has the same order', () => {
    const names = fc.stringMatching(/^[a-c0-2-]{1,5}$/);
    const hosts = fc.uniqueArray(fc.record({ name: names, site: names }), {
      selector: ({ name }) => name,
      maxLength: 12,
    });
    fc.assert(
      fc.property(hosts, fc.infiniteStream(fc.nat()), (given, random) => {
        const shuffled = given
          .map((host) => ({ host, by: random.next().value ?? 0 }))
          .sort((a, b) => a.by - b.by);
        expect(shuffled.map(({ host }) => host).sort(hostOrder)).toEqual([...given].sort(hostOrder));
      }),
    );
  });
});
