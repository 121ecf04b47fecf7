import { describe, expect, it } from 'vitest';
import { checkRepository } from '../../spec/check.ts';
import { HOST_KEY, repository } from '../../spec/testing.ts';

const SERVER = `apiVersion: doaas/v1
kind: Server
metadata: {name: web-1, labels: {cluster: a}}
spec: {address: 10.0.0.5, hostKey: "${HOST_KEY}"}
`;

/** `LINE:COLUMN message` of each mistake in a document with these lines in its spec. */
function mistakes(...spec: readonly string[]): readonly string[] {
  const head = [
    'apiVersion: doaas/v1',
    'kind: PatchPolicy',
    'metadata: {name: security}',
    'spec:',
    '  targets: {all: true}',
  ];
  const text = `${[...head, ...spec.map((line) => `  ${line}`)].join('\n')}\n`;
  const { errors } = checkRepository(repository({ 's.yaml': SERVER, 'p.yaml': text }));
  return errors.map(({ position, message }) => `${position.line}:${position.column} ${message}`);
}

describe('a PatchPolicy document', () => {
  it('needs no more than its targets', () => {
    expect(mistakes()).toEqual([]);
  });

  it('may say when, what not, and what follows', () => {
    expect(
      mistakes(
        'updates: all',
        'securityOrigins: [{label: Acme-Security, codename: bookworm}]',
        'holds: [postgresql-15]',
        'exclude: ["linux-image-*", libc6]',
        'conffiles: ask',
        'restartNever: [docker.service]',
        'reboot: ifRequired',
        'window: {timeZone: Europe/Berlin, days: [sat], hours: {from: "22:00", to: "02:00"}, jitter: 20m}',
        'rollout: {canary: 1, spread: cluster}',
        'probes: [{tcp: "localhost:22"}]',
      ),
    ).toEqual([]);
  });

  it.each([
    ['updates: some', /^6:12 "updates" must be one of security, all/],
    [
      'exclude: [""]',
      /^6:13 Item 1 of exclude is "", but must be the name of a package or a pattern of names/,
    ],
    ['exclude: ["**"]', /^6:13 \*\* leaves every package to people, so this document does nothing/],
    ['exclude: ["nginx;id"]', /^6:13 Item 1 of exclude is "nginx;id", but must be the name of a package/],
    ['holds: ["nginx*"]', /^6:11 Item 1 of holds is "nginx\*", but must be the name of a package, such as/],
    ['securityOrigins: [{}]', /^6:21 Item 1 of securityOrigins must have at least 1 item/],
    ['restartNever: [docker]', /^6:18 Item 1 of restartNever is "docker", but must be the name of a service/],
    ['reboot: always', /^6:11 "reboot" must be one of never, ifRequired, ask/],
    ['conffiles: prompt', /^6:14 "conffiles" must be one of keep, take, ask/],
    ['window: {timeZone: Europe/Berlinn}', /^6:22 There is no time zone "Europe\/Berlinn"/],
    ['window: {days: [sat]}', /^6:\d+ .*"timeZone"/],
    ['window: {timeZone: UTC, days: []}', /^6:27 "days" of window must have at least 1 item/],
    [
      'window: {timeZone: UTC, hours: {from: "02:00", to: "02:00"}}',
      /^6:\d+ These hours are empty; leave them out for the whole day/,
    ],
    [
      'window: {timeZone: UTC, hours: {from: "26:00", to: "02:00"}}',
      /^6:\d+ "from" of hours is "26:00", but/,
    ],
    [
      'window: {timeZone: UTC, freeze: [{from: "2027-01-06", to: "2026-12-20"}]}',
      /^6:\d+ This freeze ends on 2026-12-20, before it begins on 2027-01-06/,
    ],
    [
      'window: {timeZone: UTC, freeze: [{from: "2027-01-06", to: "2030-12-20"}]}',
      /^6:\d+ From 2027-01-06 to 2030-12-20 the window would not open for more than a year/,
    ],
    [
      'window: {timeZone: UTC, freeze: [{from: "2027-07-01", to: "2028-03-01"}, {from: "2027-01-06", to: "2027-06-30"}]}',
      /^6:36 From 2027-01-06 to 2028-03-01 the window would not open for more than a year/,
    ],
    [
      'window: {timeZone: UTC, days: [mon], freeze: [{from: "2027-01-06", to: "2027-07-03"}, {from: "2027-07-05", to: "2028-03-01"}]}',
      /^6:89 From 2027-01-06 to 2028-03-01 the window would not open for more than a year/,
    ],
    [
      'window: {timeZone: UTC, hours: {from: "02:00", to: "03:00"}, jitter: 1h}',
      /^6:\d+ "jitter" of window is 1h, but must be at most 3540s\.$/,
    ],
    [
      'drift: {action: correct}',
      /^6:19 Updates are installed by themselves only in a window; declare "window"/,
    ],
    [
      'rollout: {spread: clusters}',
      /^6:21 None of the servers .* has the label clusters; did you mean "cluster"\?/,
    ],
  ])('%s', (line, message) => {
    expect(mistakes(line)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    'days: [sun]',
    'days: [sat], hours: {from: "22:00", to: "02:00"}',
    'days: [sat, sun], hours: {from: "22:00", to: "00:00"}',
  ])('may freeze for long with a day between on which it opens: %s', (when) => {
    const freeze = '[{from: "2027-01-06", to: "2027-07-03"}, {from: "2027-07-05", to: "2028-03-01"}]';
    expect(mistakes(`window: {timeZone: UTC, ${when}, freeze: ${freeze}}`)).toEqual([]);
  });

  it.each([
    [
      'holds: [nginx]',
      'exclude: [nginx]',
      /^7:13 nginx is held, so it is never updated in any case; keep it in one of the two lists\.$/,
    ],
    [
      'restart: never',
      'restartNever: [docker.service]',
      /^7:\d+ With "restart: never" no service is restarted, so this list means nothing/,
    ],
    [
      'window: {timeZone: UTC}',
      'drift: {action: report}',
      /^7:19 In its window this document installs updates by itself; remove "window"/,
    ],
  ])('%s beside %s', (first, second, message) => {
    expect(mistakes(first, second)).toEqual([expect.stringMatching(message)]);
  });
});

describe('what two documents say of one package', () => {
  const TWO = (first: string, second: string): readonly string[] => {
    const document = (kind: string, spec: string): string =>
      `apiVersion: doaas/v1\nkind: ${kind}\nmetadata: {name: x}\nspec: {targets: {all: true}, ${spec}}\n`;
    const { errors } = checkRepository(
      repository({ 's.yaml': SERVER, 'p.yaml': `${document('PatchPolicy', first)}---\n${second}` }),
    );
    return errors.map(({ position, message }) => `${position.line} ${message}`);
  };

  it('is an error where both hold it, and where both patch the server', () => {
    expect(
      TWO(
        'holds: [nginx]',
        'apiVersion: doaas/v1\nkind: Configuration\nmetadata: {name: web}\nspec: {targets: {all: true}, packages: {nginx: {hold: true}}}\n',
      ),
    ).toEqual([expect.stringMatching(/nginx is also written by .*; keep it in one place\.$/)]);
    expect(
      TWO(
        'updates: all',
        'apiVersion: doaas/v1\nkind: PatchPolicy\nmetadata: {name: b}\nspec: {targets: {all: true}}\n',
      ),
    ).toEqual([
      '4 The updates is also written by PatchPolicy/b (p.yaml line 9), on web-1; keep it in one place.',
    ]);
  });
});
