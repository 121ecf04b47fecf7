import { expect, test } from 'vitest';
import { hostKeyOf } from '../../test/hostKey.ts';
import type { HostPlan } from '../plan/step.ts';
import { checkRepository } from '../spec/check.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { repository, server } from '../spec/testing.ts';
import { twinFindings, withSameMachines } from './twins.ts';

const yaml = ['a', 'b'].map((name) => server(name)).join('---\n');
const [a, b] = checkRepository(repository({ 's.yaml': yaml })).resolution.hosts as readonly [
  ResolvedHost,
  ResolvedHost,
];
const showing = (host: ResolvedHost, ...hostKeys: string[]): ResolvedHost => ({
  ...host,
  server: { ...host.server, hostKeys },
});

test('a machine that was met under two names is in no plan', () => {
  const met = showing(b, hostKeyOf('another'), hostKeyOf('a'));
  expect(twinFindings(met, [a, met])).toEqual([
    {
      kind: 'finding',
      severity: 'error',
      host: 'b',
      document: 'Server/b',
      message:
        'b shows the same host key as a. If it is one machine, declare it once; if one was cloned from the other, give one of them host keys of its own',
    },
  ]);
});

test('machines of different keys, or of none yet, are two', () => {
  expect(twinFindings(b, [a, b])).toEqual([]);
  expect(twinFindings(showing(b), [showing(a), b])).toEqual([]);
  const sameAddress = { ...b, server: { ...b.server, address: a.server.address } };
  expect(twinFindings(sameAddress, [a, sameAddress])).toEqual([]);
});

const read = (host: string, machine?: string): HostPlan => ({
  kind: 'host-plan',
  host,
  ...(machine === undefined ? {} : { machine }),
  steps: [],
  findings: [],
  digest: '',
});

test('a machine that answers under two names, each with a key of its own, is in no plan', () => {
  const [one, other] = withSameMachines([read('a', 'x'), read('b', 'x')], [a, b]);
  const [finding] = other?.findings ?? [];
  expect(one?.findings).toHaveLength(1);
  expect(finding).toMatchObject({ severity: 'error', host: 'b', document: 'Server/b' });
  expect(finding?.position).toMatchObject({ file: 's.yaml', line: b.position?.line });
  expect(finding?.message).toContain(`b is the same machine as a (s.yaml line ${a.position?.line}): `);
  expect(a.position?.line).not.toBe(b.position?.line);
});

test('machines that differ, or do not tell, are two', () => {
  const plans = [read('a', 'x'), read('b', 'y'), read('c'), read('d')];
  expect(withSameMachines(plans, [a, b])).toEqual(plans);
});
