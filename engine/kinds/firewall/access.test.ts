import { expect, it } from 'vitest';
import type { FirewallState } from '../../facts/firewall.ts';
import { SERVER } from '../../spec/testing.ts';
import type { PlanContext } from '../kind.ts';
import { accessFindings } from './access.ts';
import type { Filter, Rule } from './spec.ts';
import { CLOSED, ports, QUIET, RULE } from './testing/spec.ts';

const STATE: FirewallState = {
  ...QUIET,
  present: true,
  asLoaded: true,
  persists: true,
  login: { address: '10.0.0.2', port: 22 },
};

const CONTEXT: PlanContext = {
  payloads: new Map(),
  seals: new Map(),
  jumpFor: ['db'],
  server: SERVER,
};

const behind = (address: string, outbound: Filter, state: FirewallState = STATE) =>
  accessFindings(
    {
      desired: {
        ...CLOSED,
        management: { port: 22, from: ['10.0.0.0/8'], jumps: [{ address, port: 22 }] },
        outbound,
      },
      script: { sha256: '', size: 0, text: true },
      probes: [],
    },
    state,
    CONTEXT,
  );
const out = (rules: Readonly<Record<string, Rule>>, preset: Filter['default'] = 'drop'): Filter => ({
  default: preset,
  rules,
});
const DNS: Rule = { ...RULE, ports: ports('53/udp') };

it('to a server behind this one that has a name needs DNS to be let out', () => {
  const error = {
    severity: 'error',
    pointer: '/outbound',
    message: expect.stringContaining('nothing lets DNS out'),
  };
  expect(behind('db.internal', out({}))).toEqual([error]);
  expect(behind('db.internal', out({ https: { ...RULE, ports: ports('443/tcp') } }))).toEqual([error]);
  const { login: _, ...unsaid } = STATE;
  expect(behind('db.internal', out({}), unsaid)).toEqual([
    expect.objectContaining({ severity: 'warning' }),
    error,
  ]);
  const denied = { no: { ...RULE, action: 'drop' as const, ports: ports('53/udp', '53/tcp', '853/tcp') } };
  expect(behind('db.internal', out(denied, 'accept'))).toEqual([error]);
});

it('is not in question with an address, or where DNS gets out by some way', () => {
  expect(behind('10.0.0.9', out({}))).toEqual([]);
  expect(behind('db.internal', out({}, 'accept'))).toEqual([]);
  expect(behind('db.internal', out({ dns: DNS }))).toEqual([]);
  expect(
    behind('db.internal', out({ dns: { ...DNS, to: ['10.0.0.53/32'], outInterfaces: ['eth1'] } })),
  ).toEqual([]);
  const elsewhere = { no: { ...DNS, action: 'drop' as const, outInterfaces: ['eth1'] } };
  expect(behind('db.internal', out({ ...elsewhere, dns: DNS }))).toEqual([]);
});
