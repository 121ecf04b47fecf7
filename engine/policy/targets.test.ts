import { expect, test } from 'vitest';
import type { HostPlan } from '../plan/step.ts';
import type { Place } from './change.ts';
import { type Known, targetsOf } from './targets.ts';
import { step } from './testing.ts';

const KEY = 'ssh-ed25519 AAAA';
const place = (role: string, site = 'default'): Place => ({ site, labels: { role } });

function server(name: string, role: string, given: Partial<Known['server']> = {}): Known {
  const address = `${name}.example`;
  const hostKeys = [`${KEY}-${name}`];
  return { name, server: { ...place(role), address, port: 22, hostKeys, ...given } };
}

/** A plan with one step on each. */
const plan = (...names: string[]) => ({
  hosts: names.map(
    (host): HostPlan => ({
      kind: 'host-plan',
      host,
      steps: [step({ host })],
      findings: [],
      digest: '',
    }),
  ),
});
const seen = (...args: Parameters<typeof targetsOf>) =>
  targetsOf(...args).map(({ name, now, before, moved, steps }) => ({
    name,
    now: now.map(({ labels }) => labels.role),
    before: before.map(({ labels }) => labels.role),
    moved,
    steps: steps.length,
  }));

const base = [server('db-1', 'db'), server('web-1', 'web')];
const [db1, web1] = base as [Known, Known];

test('a server with steps counts as what it is; one without is no target', () => {
  expect(seen(plan('db-1'), { merged: base, base })).toEqual([
    { name: 'db-1', now: ['db'], before: ['db'], moved: false, steps: 1 },
  ]);
  expect(seen(plan(), { merged: base, base })).toEqual([]);
});

test.each<readonly [string, Known, Partial<ReturnType<typeof seen>[number]>]>([
  ['other labels', server('db-1', 'web'), { now: ['web'] }],
  ['another site', server('db-1', 'db', { site: 'paris' }), {}],
  ['another key', server('db-1', 'db', { hostKeys: ['ssh-ed25519 BBBB'] }), {}],
  ['another port', server('db-1', 'db', { port: 23 }), {}],
  ['another address', server('db-1', 'web', { address: '10.0.0.9' }), { now: ['web'] }],
  [
    'another name at the same address',
    { ...server('x', 'web'), server: { ...db1.server, ...place('web') } },
    { name: 'x', now: ['web'] },
  ],
  [
    'another name at the same address, with another of its keys',
    server('x', 'web', { address: 'DB-1.example' }),
    { name: 'x', now: ['web'] },
  ],
  [
    'another name and another address of the same machine',
    server('x', 'web', { hostKeys: db1.server.hostKeys }),
    { name: 'x', now: ['web'] },
  ],
])('a server that gets %s keeps what it was, with steps and without', (_name, merged, given) => {
  const wanted = { name: 'db-1', now: ['db'], before: ['db'], moved: true, ...given };
  const all = { merged: [merged, web1], base };
  expect(seen(plan(), all)).toEqual([{ ...wanted, steps: 0 }]);
  expect(seen(plan(merged.name), all)).toEqual([{ ...wanted, steps: 1 }]);
});

test('a second name of a server that stays counts as both', () => {
  const alias = { ...server('x', 'web'), server: { ...db1.server, ...place('web') } };
  expect(seen(plan(), { merged: [...base, alias], base })).toEqual([
    { name: 'x', now: ['web'], before: ['db'], moved: true, steps: 0 },
  ]);
  const known = [...base, alias];
  expect(seen(plan('x'), { merged: known, base: known })).toEqual([
    { name: 'x', now: ['web'], before: ['db', 'web'], moved: false, steps: 1 },
  ]);
});

test('two servers that change places count as both', () => {
  const merged = [
    { name: 'db-1', server: { ...web1.server, ...place('db') } },
    { name: 'web-1', server: { ...db1.server, ...place('web') } },
  ];
  expect(seen(plan('web-1'), { merged, base })).toMatchObject([
    { name: 'db-1', now: ['db'], before: ['db', 'web'], moved: true },
    { name: 'web-1', now: ['web'], before: ['db', 'web'], moved: true, steps: 1 },
  ]);
});

test('one that is dropped is asked for as what it was', () => {
  expect(seen(plan(), { merged: [web1], base })).toEqual([
    { name: 'db-1', now: [], before: ['db'], moved: true, steps: 0 },
  ]);
});

test('a new one is no target until something is done there', () => {
  const merged = [...base, server('db-2', 'db')];
  expect(seen(plan(), { merged, base })).toEqual([]);
  expect(seen(plan('db-2'), { merged, base })).toEqual([
    { name: 'db-2', now: ['db'], before: [], moved: false, steps: 1 },
  ]);
});

test('machines of two sites with the same address are two, as long as nobody moves one', () => {
  const other = server('db-9', 'db', { address: web1.server.address, site: 'paris' });
  const all = [web1, other];
  expect(seen(plan('web-1'), { merged: all, base: all })).toMatchObject([{ before: ['web'] }]);
});

test('labels of a side branch do not put aside those of the default branch', () => {
  const side = [server('db-1', 'web'), web1];
  expect(seen(plan('db-1'), { merged: side, base: side, trusted: base })).toEqual([
    { name: 'db-1', now: ['web'], before: ['web', 'db'], moved: false, steps: 1 },
  ]);
});

test('of a server that the merge does not know nothing is known', () => {
  expect(targetsOf(plan('gone'), { merged: [] })).toMatchObject([
    { name: 'gone', now: [{ site: '', labels: {} }], before: [] },
  ]);
});
