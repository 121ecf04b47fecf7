import { describe, expect, test } from 'vitest';
import type { Finding, HostPlan, Step } from '../plan/step.ts';
import { aStep } from '../plan/testing.ts';
import { correctable, firstForPerson, type Grounds, whyNothing } from './correctable.ts';

const grounds: Grounds = {
  document: 'Configuration/web',
  ignore: [],
  wasInForce: () => true,
  hindrance: () => undefined,
};

function step(id: string, given: Partial<Step> = {}): Step {
  return { ...aStep, id, reason: 'drift', summary: id, before: { [`path:/${id}`]: 'x' }, ...given };
}

function host(steps: readonly Step[], findings: readonly Finding[] = []): HostPlan {
  return { kind: 'host-plan', host: 'web-1', steps, findings, digest: '' };
}

const judged = (steps: readonly Step[], given: Partial<Grounds> = {}, findings: readonly Finding[] = []) => {
  const { hosts, left } = correctable([host(steps, findings)], { ...grounds, ...given });
  return {
    taken: hosts.flatMap((plan) => plan.steps.map(({ id }) => id)),
    left: left.map(({ summary, because }) => `${summary}: ${because}`),
  };
};

test('what was in force and can be undone is put back', () => {
  expect(judged([step('a'), step('b')])).toEqual({ taken: ['a', 'b'], left: [] });
});

test.each<[string, Partial<Step>, RegExp]>([
  ['what cannot be undone', { reversible: 'no' }, /could not be undone/],
  ['what can be undone only in part', { reversible: 'best-effort' }, /could not be undone/],
  ['what reboots', { disruption: 'reboot' }, /cause a reboot/],
  ['what fails over', { disruption: 'failover' }, /cause a failover/],
  ['what left the YAML', { reason: 'removal' }, /left the YAML/],
  ['what is released', { reason: 'release' }, /left the YAML/],
])('%s is left to a person', (_, given, because) => {
  const { taken, left } = judged([step('a', given)]);
  expect(taken).toEqual([]);
  expect(left).toEqual([expect.stringMatching(because)]);
});

test('what was never in force may be a change that nobody approved', () => {
  const wasInForce: Grounds['wasInForce'] = (_, item) => item !== 'path:/new';
  const mixed = step('m', { before: { 'path:/old': 'x', 'path:/new': 'y' } });
  const { taken, left } = judged([step('old'), step('new'), mixed], { wasInForce });
  expect(taken).toEqual(['old']);
  expect(left).toEqual([expect.stringMatching(/^new: no reading/), expect.stringMatching(/^m: no reading/)]);
});

describe('what was to be put back and is left to a person by now', () => {
  const [a, b] = [step('a'), step('b')];
  const reload = step('reload', { before: {} });
  const of = (now: HostPlan, taken: readonly Step[]) =>
    firstForPerson([host([a, b, reload])], [now], [host(taken)]);
  const error = [{ severity: 'error', message: 'broken', host: 'web-1' }] as unknown as readonly Finding[];

  test('is named by its server', () => {
    expect(of(host([a, b, reload]), [a])).toBe('web-1');
    expect(of(host([a, b, reload]), [])).toBe('web-1');
    expect(of(host([], error), [])).toBe('web-1');
  });

  test('is not what is as it should be again, nor what only follows, nor what was not read', () => {
    expect(of(host([a, b, reload]), [a, b])).toBeUndefined();
    expect(of(host([a]), [a])).toBeUndefined();
    expect(of(host([]), [])).toBeUndefined();
    expect(firstForPerson([host([a])], [], [])).toBeUndefined();
    expect(firstForPerson([host([])], [host([a], error)], [])).toBeUndefined();
  });
});

describe('work that the document declares', () => {
  const maintenance = { item: 'declares:Configuration/web', reboots: true } as const;
  const inForce: Grounds['wasInForce'] = (_, item) => item === maintenance.item;
  const upgrade = step('upgrade', { reversible: 'best-effort', disruption: 'restart' });
  const reboot = step('reboot', { disruption: 'reboot', dependsOn: ['upgrade'] });

  test('is done though it goes back only as far as it can, and reboots', () => {
    const { taken } = judged([upgrade, reboot], { maintenance, wasInForce: inForce });
    expect(taken).toEqual(['upgrade', 'reboot']);
  });

  test('reboots only if the document says so; the rest is done', () => {
    const asking = { maintenance: { ...maintenance, reboots: false }, wasInForce: inForce };
    expect(judged([upgrade, reboot], asking)).toEqual({
      taken: ['upgrade'],
      left: ['reboot: it would cause a reboot'],
    });
  });

  test('is left where the declaration was never in force, whatever else was', () => {
    const { taken, left } = judged([upgrade], { maintenance, wasInForce: (_, item) => !inForce('', item) });
    expect(taken).toEqual([]);
    expect(left).toEqual([expect.stringMatching(/^upgrade: no reading has found it/)]);
  });

  test('never is what cannot go back at all, or fails over', () => {
    const never = [step('a', { reversible: 'no' }), step('b', { disruption: 'failover' })];
    expect(judged(never, { maintenance, wasInForce: inForce }).taken).toEqual([]);
  });
});

test('an error, or a server that needs recovery, keeps the whole server from being touched', () => {
  const finding: Finding = {
    kind: 'finding',
    severity: 'error',
    host: 'web-1',
    document: 'Configuration/other',
    message: 'masked',
  };
  expect(judged([step('a')], {}, [finding])).toEqual({
    taken: [],
    left: ['a: the server has an error: masked'],
  });
  expect(judged([step('a')], {}, [{ ...finding, severity: 'warning' }]).taken).toEqual(['a']);
  expect(judged([step('a')], { hindrance: () => 'it needs recovery' })).toEqual({
    taken: [],
    left: ['a: it needs recovery'],
  });
});

test('what needs something that is left alone is left alone, over any number of steps', () => {
  const steps = [
    step('a', { reversible: 'no' }),
    step('b', { dependsOn: ['a'] }),
    step('c', { dependsOn: ['b'] }),
    step('d'),
  ];
  const { taken, left } = judged(steps);
  expect(taken).toEqual(['d']);
  expect(left).toHaveLength(3);
});

test('reloads come along for what is put back, and only for that', () => {
  const steps = [
    step('a'),
    step('b', { reversible: 'no' }),
    step('reload', { before: {}, dependsOn: ['a', 'b'], document: 'Configuration/other' }),
    step('restart', { before: {}, dependsOn: ['b'] }),
  ];
  const [plan] = correctable([host(steps)], grounds).hosts;
  expect(plan?.steps.map(({ id, dependsOn }) => [id, dependsOn])).toEqual([
    ['a', []],
    ['reload', ['a']],
  ]);
});

test('other documents and ignored items are not touched, nor is what touches both', () => {
  const both = step('both', { before: { 'package:a': 'x', 'package:b': 'y' } });
  const { taken, left } = judged(
    [step('other', { document: 'Configuration/db' }), step('mine'), step('quiet'), both],
    {
      ignore: ['/quiet', 'package:b'],
    },
  );
  expect(taken).toEqual(['mine']);
  expect(left).toEqual(['both: it also touches package:b, which the document ignores']);
});

test('a host on which nothing is put back is not part of the plan', () => {
  expect(correctable([host([step('a', { reversible: 'no' })])], grounds).hosts).toEqual([]);
});

test('where nothing is put back, a server that could not say what differs is not one where nothing does', () => {
  const silent: Finding = {
    kind: 'finding',
    severity: 'error',
    host: 'web-1',
    document: 'PatchPolicy/security',
    message: 'apt does not say what it would update: it was not done within 15 s',
  };
  const left = { host: 'web-1', summary: 'a', because: 'it would cause a reboot' };
  expect(whyNothing([host([])], [])).toBe('nothing is left to put back');
  expect(whyNothing([host([])], [left])).toBe('web-1: a: it would cause a reboot');
  expect(whyNothing([host([], [silent])], [left])).toBe(`web-1: ${silent.message}`);
});
