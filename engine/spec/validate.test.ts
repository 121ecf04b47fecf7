import { describe, expect, test } from 'vitest';
import { check, configuration, HOST_KEY, server } from './testing.ts';

const SERVERS = { 'hosts.yaml': server('web-1', '{role: web}') };

/** What the user reads for a Configuration whose spec (from line 5 on, after targets) is this. */
function read(spec: string): readonly string[] {
  return check({ ...SERVERS, 'c.yaml': configuration('web', `  targets: {all: true}\n${spec}`) });
}

function readServer(spec: string): readonly string[] {
  return check({
    's.yaml': `apiVersion: doaas/v1\nkind: Server\nmetadata: {name: web-1}\nspec: {${spec}}\n`,
  });
}

describe('unquoted values', () => {
  test.each([
    ['mode: 0644', 'c.yaml:6:34 "mode" of /a must be text; write "0644" in quotes: YAML reads 0644 as 644.'],
    [
      'mode: 644',
      'c.yaml:6:34 "mode" of /a must be text; write "644" in quotes: YAML reads 644 as a number.',
    ],
    [
      'owner: true',
      'c.yaml:6:35 "owner" of /a must be text; write "true" in quotes: YAML reads true as a boolean.',
    ],
    ['owner: ', 'c.yaml:6:33 "owner" of /a has no value; it must be text.'],
  ])('%s of a file', (property, sentence) => {
    expect(read(`  files: {/a: {content: b, ${property}}}\n`)).toEqual([sentence]);
  });

  test('a version', () => {
    expect(read('  packages: {redis: {version: 1.10}}\n')).toEqual([
      'c.yaml:6:31 "version" of redis must be text; write "1.10" in quotes: YAML reads 1.10 as 1.1.',
    ]);
  });

  test.each([
    ['variables: {mode: {type: integer, default: 0644}}', '6:46 0644 is read as 644', '644, or "0644"'],
    ['variables: {version: {type: number, default: 1.10}}', '6:48 1.10 is read as 1.1', '1.1, or "1.10"'],
    ['groups: {deploy: {gid: 0x10}}', '6:26 0x10 is read as 16', '16, or "0x10"'],
    ['sysctl: {kernel.pid_max: 010}', '6:28 010 is read as 10', '10, or "010"'],
  ])('a number that is read as another one: %s', (spec, start, advice) => {
    expect(read(`  ${spec}\n`)).toContain(
      `c.yaml:${start} by YAML; write ${advice} in quotes if it is a text.`,
    );
  });

  test('yes and no', () => {
    expect(read('  units: {nginx.service: {enabled: yes}}\n')).toEqual([
      'c.yaml:6:36 "enabled" of nginx.service must be true or false; YAML 1.2 reads yes as text.',
    ]);
  });

  test('a duration without its unit', () => {
    expect(read('  scripts: {a: {check: x, apply: y, timeout: 30}}\n')).toEqual([
      'c.yaml:6:46 "timeout" of a must be text, not 30; expected a whole number with its unit (ms, s, m, h), such as 30s.',
    ]);
  });
});

describe('properties and values', () => {
  test.each([
    ['  pakages: {nginx: {}}\n', 'c.yaml:6:3 Unknown property "pakages" in "spec"; did you mean "packages"?'],
    [
      '  groups: {deploy: {shell: /bin/sh}}\n',
      'c.yaml:6:21 Unknown property "shell" in "deploy" of groups; known are state, gid, system.',
    ],
    [
      '  packages: {nginx: }\n',
      'c.yaml:6:19 "nginx" of packages has no value; it must be a map of names to values ({} if there is nothing to say; if it follows, indent it further).',
    ],
    [
      '  packages: [nginx]\n',
      'c.yaml:6:3 "packages" must be a map of names to values, not a list; for example {nginx: {}, telnet: {state: absent}}.',
    ],
    [
      '  packages: {Nginx: {}}\n',
      'c.yaml:6:14 "Nginx" cannot be a name in "packages"; expected a Debian package name, such as nginx.',
    ],
    [
      '  packages: {nginx: {state: present}}\n',
      'c.yaml:6:29 "state" of nginx must be "absent", not "present"; leave it out where the item must exist.',
    ],
    [
      '  files: {/a: {content: x, mode: "0999"}}\n',
      'c.yaml:6:34 "mode" of /a is "0999", but must be an octal mode in quotes, such as "0644".',
    ],
    [
      '  timezone: "Europe/ Berlin"\n',
      'c.yaml:6:13 "timezone" is "Europe/ Berlin", but must be a time zone, such as Europe/Berlin.',
    ],
    ['  groups: {deploy: {gid: 0}}\n', 'c.yaml:6:26 "gid" of deploy is 0, but must be at least 1.'],
    ['  hostsEntries: {10.0.0.9: []}\n', 'c.yaml:6:18 "10.0.0.9" of hostsEntries must have at least 1 item.'],
    [
      '  hostsEntries: {10.0.0.9: [a, a]}\n',
      'c.yaml:6:18 "10.0.0.9" of hostsEntries has the same item twice (items 1 and 2).',
    ],
    ['  scripts: {a: {check: x}}\n', 'c.yaml:6:13 "a" of scripts has no "apply", which is required.'],
    [
      '  probes: [{http: localhost}]\n',
      'c.yaml:6:19 "http" of item 1 of probes is "localhost", but must be an http or https address, such as http://localhost/health.',
    ],
    [
      '  variables: {host: {type: string}}\n',
      'c.yaml:6:15 "host" cannot be a name in "variables"; expected up to 63 lower-case letters, digits and "_", beginning with a letter, such as site_name (host is reserved).',
    ],
    [
      '  variables: {port: {type: int}}\n',
      'c.yaml:6:28 "type" of port must be one of string, integer, number, boolean, list, secret, not "int"; did you mean "integer"?',
    ],
    [
      '  sysctl: {net.ipv4.ip_forward: [1]}\n',
      'c.yaml:6:12 "net.ipv4.ip_forward" of sysctl must be text or a whole number, not a list; expected a value on one line; write a number of more than 15 digits in quotes.',
    ],
  ])('%s', (spec, sentence) => {
    expect(read(spec)).toEqual([sentence]);
  });

  test.each([
    [
      '  files:\n    /a: {content: x, notify: nginx.service}\n',
      'c.yaml:7:30 "notify" of /a must be a map of names to values, not "nginx.service"; for example {reload: [nginx.service]}.',
    ],
    [
      '  users: {deploy: {groups: sudo}}\n',
      'c.yaml:6:28 "groups" of deploy must be a list, not "sudo"; write it in brackets: [sudo].',
    ],
    [
      '  rollout: {canary: 1}\n  units: nginx.service\n',
      'c.yaml:7:10 "units" must be a map of names to values, not "nginx.service"; for example {nginx.service: {enabled: true, running: true}}.',
    ],
    [
      '  files: {/a: {content: x, notify: {restart: shop.service}}}\n',
      'c.yaml:6:46 "restart" of notify must be a list, not "shop.service"; write it in brackets: [shop.service].',
    ],
    [
      '  probes: [{command: nginx -t}]\n',
      'c.yaml:6:22 "command" of item 1 of probes must be a list, not "nginx -t"; for example [nginx, -t].',
    ],
    [
      '  packages: nginx:{}\n',
      'c.yaml:6:13 "packages" must be a map of names to values, not "nginx:{}"; write a space after the ":".',
    ],
    [
      '  packages:\n    files:\n      /a: {content: x}\n',
      'c.yaml:8:7 Unknown property "/a" in "files" of packages; known are state, version, hold; is "files" to be a section of its own? Then indent it as "packages" is.',
    ],
    [
      '  packages: {nginx: {files: {}}}\n',
      'c.yaml:6:22 Unknown property "files" in "nginx" of packages; it belongs in "spec", indented less.',
    ],
    ['packages: {}\n', 'c.yaml:6:1 Unknown property "packages" in a document; it belongs in "spec".'],
    ['labels: {a: b}\n', 'c.yaml:6:1 Unknown property "labels" in a document; it belongs in "metadata".'],
    [
      '  dependsOn: []\n',
      'c.yaml:6:3 Unknown property "dependsOn" in "spec"; it belongs beside "spec", not in it.',
    ],
    [
      '  files:\n    /a: &a {content: x}\n    /b: {<<: *a}\n',
      'c.yaml:8:10 Merge keys ("<<") are no part of YAML 1.2; write the properties out.',
    ],
    [
      '  packages: {\u00a0nginx: {}}\n',
      'c.yaml:6:15 "\\u00a0nginx" cannot be a name in "packages"; expected a Debian package name, such as nginx.',
    ],
  ])('at the wrong place or in another shape: %j', (spec, sentence) => {
    expect(read(spec)).toEqual([sentence]);
  });

  test('all mistakes of a file at once, by place', () => {
    expect(read('  timezone: 5\n  nonsense: 1\n  packages: {nginx: {hold: "x"}, A: {}}\n')).toEqual([
      'c.yaml:6:13 "timezone" must be text, not 5; expected a time zone, such as Europe/Berlin.',
      'c.yaml:7:3 Unknown property "nonsense" in "spec"; known are targets, variables, aptRepositories, packages, directories, files, groups, users, units, sysctl, hostsEntries, timezone, locale, scripts, probes, rollout, drift.',
      'c.yaml:8:28 "hold" of nginx must be true or false, not "x".',
      'c.yaml:8:34 "A" cannot be a name in "packages"; expected a Debian package name, such as nginx.',
    ]);
  });
});

describe('servers', () => {
  const key = `hostKey: ${HOST_KEY}`;
  test.each([
    [key, 's.yaml:4:1 "spec" has no "address", which is required.'],
    [`address: a, ${key}, port: 70000`, 's.yaml:4:117 "port" is 70000, but must be at most 65535.'],
    [
      `address: a, ${key}, become: suod`,
      's.yaml:4:119 "become" must be one of sudo, none, not "suod"; did you mean "sudo"?',
    ],
    [`address: a, ${key}, become: true`, 's.yaml:4:119 "become" must be one of sudo, none, not true.'],
    [
      `address: a, ${key}, labels: {}`,
      's.yaml:4:111 Unknown property "labels" in "spec"; it belongs in "metadata".',
    ],
    [
      `address: "-oProxyCommand=x", ${key}`,
      's.yaml:4:17 "address" is "-oProxyCommand=x", but must be a host name or an IP address, such as 10.0.0.5.',
    ],
    [
      `address: "10.0.0.5:2222", ${key}`,
      's.yaml:4:17 "10.0.0.5:2222" is neither a host name nor an IP address; write "address: 10.0.0.5" and "port: 2222".',
    ],
    [
      'address: 10.0.0.5',
      's.yaml:4:1 Server web-1 has no "hostKey", without which the engine cannot know the machine; `doaas scan 10.0.0.5` prints it.',
    ],
    [
      'address: a, hostKey: ssh-ed25519',
      's.yaml:4:29 "hostKey" is "ssh-ed25519", but must be a public host key such as "ssh-ed25519 AAAA..."; `doaas scan ADDRESS` prints it.',
    ],
    [
      `address: a, hostKey: ${HOST_KEY.replace('AAAAC3', 'AAAAB3')}`,
      's.yaml:4:29 This host key is damaged: its base64 text is not a key of the type ssh-ed25519; copy it again from `doaas scan`.',
    ],
    [
      `address: a, ${key}, hostKeys: ["${HOST_KEY}"]`,
      's.yaml:4:111 Give either "hostKey" or "hostKeys", not both.',
    ],
  ])('%s', (spec, sentence) => {
    expect(readServer(spec)).toEqual([sentence]);
  });
});
