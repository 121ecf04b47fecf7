import { describe, expect, it } from 'vitest';
import { checkRepository } from '../../spec/check.ts';
import { HOST_KEY, repository } from '../../spec/testing.ts';

const SERVER = `apiVersion: doaas/v1
kind: Server
metadata: {name: web-1}
spec: {address: 10.0.0.5, hostKey: "${HOST_KEY}"}
`;

/** `LINE:COLUMN message` of each mistake in a document with these lines in its spec. */
function mistakes(...spec: readonly string[]): readonly string[] {
  const head = [
    'apiVersion: doaas/v1',
    'kind: Hardening',
    'metadata: {name: base}',
    'spec:',
    '  targets: {all: true}',
  ];
  const text = `${[...head, ...spec.map((line) => `  ${line}`)].join('\n')}\n`;
  const { errors } = checkRepository(repository({ 's.yaml': SERVER, 'h.yaml': text }));
  return errors.map(({ position, message }) => `${position.line}:${position.column} ${message}`);
}

describe('a Hardening document', () => {
  it('needs no more than its targets', () => {
    expect(mistakes()).toEqual([]);
  });

  it('may override and waive controls', () => {
    expect(
      mistakes(
        'profile: strict',
        'overrides: {ssh-max-auth-tries: {value: 4}}',
        'waivers: {sysctl-ip-forward: {reason: a router, owner: "@net", expires: "2027-01-31"}}',
      ),
    ).toEqual([]);
  });

  it.each([
    ['profile: paranoid', /^6:12 "profile" must be one of baseline, strict/],
    [
      'overrides: {ssh-max-auth-trys: {value: 4}}',
      /^6:15 Unknown property "ssh-max-auth-trys" in "overrides"; did you mean "ssh-max-auth-tries"\?$/,
    ],
    ['overrides: {ssh-max-auth-tries: {value: 40}}', /^6:43 .*is 40, but must be at most 6/],
    ['overrides: {ssh-max-sessions: {value: 2}}', /^6:41 .*is 2, but must be at least 10/],
    ['overrides: {ssh-pam: {value: 1}}', /^6:15 Unknown property "ssh-pam" in "overrides"; known are /],
    [
      'overrides: {shell-timeout: {value: 600}}',
      /^6:15 The control shell-timeout is not in the profile baseline; set "profile: strict"/,
    ],
    [
      'waivers: {sysctl-ip-forwards: {reason: a router, owner: me, expires: "2027-01-31"}}',
      /^6:13 Unknown control "sysctl-ip-forwards"; did you mean "sysctl-ip-forward"\?$/,
    ],
    [
      'waivers: {sysctl-ip-forward: {reason: a router, owner: me, expires: "2027-02-31"}}',
      /^6:\d+ 2027-02-31 is no day of the calendar/,
    ],
    [
      'waivers: {sysctl-ip-forward: {reason: a router, owner: me, expires: soon}}',
      /^6:\d+ .*a day such as "2027-01-31"/,
    ],
    ['waivers: {sysctl-ip-forward: {owner: me, expires: "2027-01-31"}}', /^6:\d+ .*reason/],
  ])('%s', (line, sentence) => {
    const found = mistakes(line);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(sentence);
  });

  it('does not write what another document writes, but may leave it to that', () => {
    const other = `apiVersion: doaas/v1
kind: Configuration
metadata: {name: web}
spec: {targets: {all: true}, sysctl: {net.ipv4.ip_forward: "1"}, files: {/etc/shells: {content: x}}}
`;
    const hardening = (waivers: string) =>
      checkRepository(
        repository({
          's.yaml': SERVER,
          'c.yaml': other,
          'h.yaml': `apiVersion: doaas/v1\nkind: Hardening\nmetadata: {name: base}\nspec: {targets: {all: true}, waivers: {${waivers}}}\n`,
        }),
      ).errors.map(({ message }) => message);
    const waiver = '{reason: a router, owner: me, expires: "2027-01-31"}';
    expect(hardening('')).toHaveLength(2);
    expect(hardening(`sysctl-ip-forward: ${waiver}, mode-shells: ${waiver}`)).toEqual([]);
  });
});
