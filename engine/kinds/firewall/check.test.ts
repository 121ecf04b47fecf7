import { describe, expect, test } from 'vitest';
import { hostKeyOf } from '../../../test/hostKey.ts';
import { checkRepository } from '../../spec/check.ts';
import { diffHosts } from '../../spec/compare.ts';
import type { Resolution, ResolvedDocument } from '../../spec/resolution.ts';
import { check, repository, sentences } from '../../spec/testing.ts';

const address = (name: string, labels: string, more: string) =>
  `{apiVersion: doaas/v1, kind: Server, metadata: {name: ${name}, labels: ${labels}}, spec: {${more}, hostKey: ${hostKeyOf(name)}}}\n`;
const SERVERS = [
  address('web-1', '{role: web}', 'address: 10.0.0.5, jump: gate'),
  address('gate', '{role: bastion}', 'address: 10.0.0.1'),
  address('mon', '{role: monitor}', 'address: mon.test'),
  address('db', '{role: db}', 'address: db.test, addresses: [10.0.0.9, "fd00::9"]'),
].join('---\n');

/** The spec begins in line 5, indented by two spaces. */
function files(spec: string, name = 'web'): Readonly<Record<string, string>> {
  const head = `apiVersion: doaas/v1\nkind: Firewall\nmetadata: {name: ${name}}\nspec:\n`;
  return { 'hosts.yaml': SERVERS, [`${name}.yaml`]: `${head}  targets: {labels: {role: web}}\n${spec}` };
}

describe('a mistake stands at its line', () => {
  test.each<[string, string, string]>([
    [
      'unknown service',
      '  inbound: {web: {service: htps}}\n',
      '6:28 Unknown service "htps"; did you mean "https"?',
    ],
    [
      'unknown service that is like none',
      '  inbound: {web: {services: [http, quux]}}\n',
      '6:36 Unknown service "quux"; give its number as "port".',
    ],
    [
      'host bits',
      '  inbound: {web: {port: 80, from: [10.0.0.1/8]}}\n',
      '6:36 10.0.0.1/8 has host bits; write 10.0.0.0/8 for the block, or 10.0.0.1 for the one address.',
    ],
    ['port 0', '  inbound: {web: {port: 0}}\n', '6:25 "port" of web is 0, but must be at least 1.'],
    [
      'port 70000',
      '  inbound:\n    web: {port: 70000}\n',
      '7:17 "port" of web is 70000, but must be at most 65535.',
    ],
    [
      'range the wrong way round',
      '  inbound: {web: {ports: [90-80]}}\n',
      '6:27 90-80 is no range of ports: they go from 1 to 65535, the lower one first.',
    ],
    ['range too far', '  inbound: {web: {ports: [80-70000]}}\n', '6:27 80-70000 is no range of ports'],
    [
      'no address',
      '  inbound: {web: {port: 80, from: [web-1]}}\n',
      '6:36 "web-1" is neither an IP address nor a block such as 10.0.0.0/8; for servers of the repository write {labels: ...} or {hosts: [...]}.',
    ],
    [
      'selector of nobody',
      '  inbound: {web: {port: 80, from: [{labels: {role: monitr}}]}}\n',
      '6:36 No server has the labels role: monitr; did you mean "role: monitor"?',
    ],
    [
      'selector of nothing',
      '  inbound: {web: {port: 80, from: [{labels: {}}]}}\n',
      '6:36 "labels" names no label, so no server is meant.',
    ],
    [
      'unknown server',
      '  inbound: {web: {port: 80, from: [{hosts: [dbb]}]}}\n',
      '6:36 There is no Server with the name "dbb"; did you mean "db"?',
    ],
    [
      'server without an IP address',
      '  inbound: {web: {port: 80, from: [{labels: {role: monitor}}]}}\n',
      '6:36 The server mon has the address mon.test, and a firewall needs IP addresses; add them to Server/mon as "addresses: [...]".',
    ],
    [
      'unknown set',
      '  sets: {office: [10.0.0.0/8]}\n  inbound: {web: {port: 80, from: [{set: ofice}]}}\n',
      '7:42 There is no set "ofice" in this document; did you mean "office"?',
    ],
    [
      'unknown zone',
      '  zones: {internal: [eth1]}\n  inbound: {web: {port: 80, zone: intern}}\n',
      '7:35 There is no zone "intern" in this document; did you mean "internal"?',
    ],
    [
      'ports of a protocol that has none',
      '  inbound: {web: {port: 80, protocol: vrrp}}\n',
      '6:39 vrrp has no ports; leave the ports out.',
    ],
    [
      'limit of what is dropped',
      '  inbound: {web: {port: 80, action: drop, rateLimit: 1/second}}\n',
      '6:54 Only what is accepted can have a rate limit.',
    ],
    [
      'contradiction',
      '  inbound:\n    a: {service: http, from: [10.0.0.0/24]}\n    b: {action: drop, from: [10.0.0.0/8]}\n',
      '7:5 The rule a accepts what b denies, and what is denied stays out; remove one of the two.',
    ],
    [
      'the engine denied',
      '  inbound: {ssh: {service: ssh, action: drop}}\n',
      '6:13 The rule ssh would keep the engine out of the server, so it can never hold',
    ],
    [
      'the engine led elsewhere',
      '  portForwards: {a: {port: 20-25, to: "10.0.0.9:80"}}\n',
      '6:18 The port forward a would lead port 22 elsewhere, by which the engine gets to the server; choose another port.',
    ],
    [
      'the jump host shut out',
      '  management: {from: [192.0.2.0/24]}\n',
      '6:16 "management" does not let in Server/gate (10.0.0.1), through which the engine gets to web-1; add {hosts: [gate]}.',
    ],
    [
      'forward to no address',
      '  portForwards: {a: {port: 80, to: "10.0.0.9:70000"}}\n',
      '6:36 10.0.0.9:70000 is no IP address with a port from 1 to 65535.',
    ],
  ])('%s', (_, spec, sentence) => {
    const found = check(files(spec));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`web.yaml:${sentence}`);
  });

  test('two firewalls of one server', () => {
    const two = { ...files('  inbound: {}\n', 'a'), ...files('  inbound: {}\n', 'b') };
    expect(check(two)).toEqual([
      'b.yaml:4:1 The firewall is also written by Firewall/a (a.yaml line 4), on web-1; keep it in one place.',
    ]);
  });
});

test('rules, sets and zones that do nothing are warnings at their line', () => {
  const spec = `  sets: {office: [192.0.2.0/24], spare: [10.9.0.0/16]}
  zones: {internal: [eth1]}
  inbound:
    ssh: {service: ssh, from: [{set: office}]}
    all-web: {services: [http, https]}
    web: {service: http, from: [10.0.0.0/8]}
    none: {action: drop, service: mysql}
  outbound: {rules: {dns: {service: dns}}}
`;
  const { resolution, errors } = checkRepository(repository(files(spec)));
  expect(errors).toEqual([]);
  expect(sentences(resolution.warnings ?? [])).toEqual([
    'web.yaml:6:34 No rule uses the set spare.',
    'web.yaml:7:11 No rule uses the zone internal.',
    'web.yaml:9:5 The rule ssh changes nothing: everyone may log in, unless "management" says "from" where.',
    'web.yaml:11:5 The rule web changes nothing: all-web accepts all of it.',
    'web.yaml:12:5 The rule none changes nothing: no rule accepts any of it.',
    'web.yaml:13:22 The rule dns changes nothing: all may go out anyway.',
  ]);
});

test('a selector becomes addresses, and another address another desired state', () => {
  const spec = '  inbound: {sql: {service: postgresql, from: [{labels: {role: db}}, {hosts: [gate]}]}}\n';
  const { resolution } = checkRepository(repository(files(spec)));
  const document = webOf(resolution);
  expect(document.spec.desired.inbound.sql?.from).toEqual(['10.0.0.1', '10.0.0.9', 'fd00::9']);
  expect(document.spec.servers).toEqual({ db: ['10.0.0.9', 'fd00::9'], gate: ['10.0.0.1'] });
  const moved = { ...files(spec), 'hosts.yaml': SERVERS.replace('10.0.0.9', '10.0.0.77') };
  expect(diffHosts(resolution, checkRepository(repository(moved)).resolution).changed).toEqual(['web-1']);
  const elsewhere = { ...files(spec), 'hosts.yaml': SERVERS.replace('mon.test', 'other.test') };
  expect(diffHosts(resolution, checkRepository(repository(elsewhere)).resolution).changed).toEqual(['mon']);
});

test('what other servers are to see is tried from each of them, at each address', () => {
  const spec =
    '  reach: [{from: {labels: {role: db}}, service: https, expect: closed}, {from: {hosts: [web-1, gate, db]}, port: 80}]\n';
  const { resolution } = checkRepository(repository(files(spec)));
  const timing = { withinSeconds: 30, everySeconds: 1 };
  expect(webOf(resolution).spec.probes).toEqual([
    { kind: 'reach', from: 'db', address: '10.0.0.5', port: 443, open: false, others: [80, 22], ...timing },
    { kind: 'reach', from: 'gate', address: '10.0.0.5', port: 80, open: true, ...timing },
    { kind: 'reach', from: 'db', address: '10.0.0.5', port: 80, open: true, ...timing },
  ]);
});

function webOf(resolution: Resolution): ResolvedDocument<'Firewall'> {
  const [document] = resolution.hosts.find(({ name }) => name === 'web-1')?.documents ?? [];
  if (document?.kind !== 'Firewall') throw new Error('web-1 has no firewall');
  return document;
}
