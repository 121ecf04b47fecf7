import { expect, it } from 'vitest';
import type { FactQuery, ItemKey, Reading } from '../facts/fact.ts';
import { annotationsOfFindings } from '../github/checks.ts';
import { hostQueries, planHost } from '../plan/planHost.ts';
import { checkRepository } from '../spec/check.ts';
import { HOST_KEY, repository } from '../spec/testing.ts';
import { QUIET } from './firewall/testing/spec.ts';
import { type HardenedHost, stateOn } from './hardening/testing/host.ts';

/** What only a server can show is told at the line that is to blame, like every other mistake. */
const SERVER = `apiVersion: doaas/v1
kind: Server
metadata: {name: web-1}
spec: {address: 10.0.0.5, hostKey: "${HOST_KEY}"}
`;

const HARDENING = `apiVersion: doaas/v1
kind: Hardening
metadata: {name: base}
spec:
  targets: {all: true}
  waivers:
    sysctl-ip-forward:
      {reason: a router, owner: "@net", expires: "2026-01-31"}
`;

const FIREWALL = `apiVersion: doaas/v1
kind: Firewall
metadata: {name: web}
spec:
  targets: {all: true}
  management:
    from: [192.0.2.0/24]
  inbound:
    web: {service: http}
`;

/** `FILE:LINE LEVEL MESSAGE` of what a plan of the server says. */
function told(document: string, state: (query: FactQuery) => unknown): readonly string[] {
  const { resolution } = checkRepository(repository({ 's.yaml': SERVER, 'd.yaml': document }));
  const [host] = resolution.hosts;
  if (host === undefined) throw new Error('there is no host');
  const reading = (query: FactQuery): [ItemKey, Reading] => [
    `${query.fact}:${query.key}`,
    { query, state: query.fact === 'owned' ? [] : state(query), raw: '' },
  ];
  const readings = new Map(hostQueries(host).map(reading));
  const { findings } = planHost({
    host,
    readings,
    payloads: new Map(),
    repository: 'acme/infra',
    changedItems: undefined,
  });
  return annotationsOfFindings(findings).map(
    ({ path, startLine, level, message }) => `${path}:${startLine} ${level} ${message}`,
  );
}

const hardened = (host: HardenedHost) => (query: FactQuery) => stateOn(host, query);

it('a waiver that is over', () => {
  expect(told(HARDENING, hardened({}))).toEqual([
    'd.yaml:7 warning the waiver of sysctl-ip-forward ended on 2026-01-31: @net renews it, or it is removed so that the control is applied (a router)',
  ]);
});

it('a profile for another distribution', () => {
  const system = { os: 'Alpine Linux v3.20', osId: 'alpine', osVersion: '3.20' };
  expect(told(HARDENING, hardened({ system }))).toEqual([
    expect.stringMatching(/^d\.yaml:5 failure Hardening has no profile for Alpine Linux v3\.20/),
  ]);
});

it('rules that would cut the engine off', () => {
  const state = {
    ...QUIET,
    present: true,
    asLoaded: false,
    persists: true,
    login: { address: '198.51.100.7', port: 22 },
  };
  const found = told(FIREWALL, ({ fact }) => (fact === 'firewall' ? state : { present: true }));
  expect(found).toEqual([
    expect.stringMatching(/^d\.yaml:7 failure this would cut the engine's own access: .*198\.51\.100\.7/),
  ]);
});
