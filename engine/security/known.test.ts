import { describe, expect, it } from 'vitest';
import { checkRepository } from '../spec/check.ts';
import { forAll, repository, server } from '../spec/testing.ts';
import type { HostSecurity, ReadSecurity } from './host.ts';
import { isPartlyUnknown, partsOf, type Remembered, unknownHosts, withKnown } from './known.ts';
import { EXPOSURE, HARDENING, PATCHES, readHost } from './testing/hosts.ts';

/** web-1, by these documents. */
function wantedBy(...documents: readonly string[]) {
  const files = Object.fromEntries(documents.map((text, i) => [`${i}.yaml`, text]));
  const { resolution, errors } = checkRepository(repository({ 's.yaml': server('web-1'), ...files }));
  expect(errors).toEqual([]);
  const [host] = resolution.hosts;
  if (host === undefined) throw new Error('there is no host');
  return host;
}

const WANTED = wantedBy(forAll('Hardening', 'base'), forAll('Firewall', 'base'));
const AWAY = { kind: 'unread', host: 'web-1', problem: 'it is away' } as const;
const TIMES = ['1970-01-01T00:00:00.001Z', '1970-01-01T00:00:00.002Z'] as const;

const BLIND: ReadSecurity['exposure'] = {
  firewall: 'Firewall/base',
  why: 'nobody could look',
  ports: [],
  more: 0,
  unseen: [],
};
const MUTE: ReadSecurity['patches'] = {
  ...PATCHES,
  problem: 'E: broken',
  unknown: true,
  security: [],
  others: 0,
};

/** As the store keeps it: the newest of each part. */
function remembered(...readings: readonly HostSecurity[]): readonly Remembered[] {
  const kept = new Map<Remembered['part'], Remembered>();
  for (const [i, host] of readings.entries())
    for (const part of partsOf(host, [...kept.values()])) kept.set(part.part, { ...part, at: i + 1 });
  return [...kept.values()];
}

/** What is known of a server that does not answer. */
function knownOf(earlier: readonly Remembered[], wanted = WANTED): ReadSecurity {
  const host = withKnown(AWAY, earlier, wanted);
  if (host.kind !== 'unread' || host.known === undefined) throw new Error('nothing is known');
  return host.known;
}

describe('of a server that does not answer', () => {
  it('is known what it was when it did, and when that was', () => {
    const { asOf, exposure, patches, hardening } = knownOf(remembered(readHost('web-1')));
    const [at] = TIMES;
    expect({ asOf, exposure: exposure.asOf, patches: patches.asOf }).toEqual({
      asOf: at,
      exposure: at,
      patches: at,
    });
    expect(hardening.map(({ failing }) => failing)).toEqual([HARDENING.failing]);
    expect(patches.security).toEqual(PATCHES.security);
  });

  it('each part is as of the last reading that knew it', () => {
    const half = readHost('web-1', { exposure: BLIND, patches: MUTE });
    const { asOf, exposure, patches } = knownOf(remembered(readHost('web-1'), half));
    expect([asOf, exposure.asOf, patches.asOf]).toEqual([TIMES[1], TIMES[0], TIMES[0]]);
    expect(exposure.ports).toEqual(EXPOSURE.ports);
    expect(patches).toMatchObject({ security: PATCHES.security, problem: 'E: broken' });
    expect(patches.unknown).toBeUndefined();
  });

  it('how many updates the bound left out goes with those that it did not', () => {
    const many = readHost('web-1', { patches: { ...PATCHES, moreSecurity: 7 } });
    const mute = { ...MUTE, moreSecurity: 3 };
    const toldOf = (before: ReadSecurity) =>
      knownOf(remembered(before, readHost('web-1', { patches: mute }))).patches;
    expect(toldOf(many)).toMatchObject({ security: PATCHES.security, moreSecurity: 7 });
    expect(toldOf(readHost('web-1'))).not.toHaveProperty('moreSecurity');
  });

  it('nothing is known where no reading saw it', () => {
    expect(withKnown(AWAY, [], WANTED)).toEqual(AWAY);
    expect(withKnown(AWAY, [{ part: 'server', body: AWAY, at: 1 }], WANTED)).toEqual(AWAY);
    expect(partsOf(AWAY, [])).toEqual([]);
  });

  it('the documents of now count', () => {
    const earlier = remembered(readHost('web-1'));
    const expires = '2099-01-31';
    const waivers = {
      'ssh-root-login': { reason: 'a reason', owner: 'kate', expires },
      'cron-allow': { reason: 'a batch user', owner: 'kate', expires: '2026-01-31' },
      'umask-login': { reason: 'a reason', owner: 'joe', expires },
    };
    const renamed = wantedBy(
      forAll('Hardening', 'other', { profile: 'strict', waivers }),
      forAll('PatchPolicy', 'p'),
    );
    const { hardening, exposure, patches } = knownOf(earlier, renamed);
    expect(hardening).toMatchObject([
      { document: 'Hardening/other', failing: [], passed: ['ssh-x11-forwarding'] },
    ]);
    expect(hardening[0]?.notApplicable).toEqual([]);
    expect(hardening[0]?.waivers.map(({ id, expired }) => [id, expired]).toSorted()).toEqual([
      ['cron-allow', true],
      ['ssh-root-login', false],
      ['umask-login', false],
    ]);
    expect(exposure.firewall).toBeUndefined();
    expect(patches.policy).toBe('PatchPolicy/p');
    expect(knownOf(earlier, wantedBy()).hardening).toEqual([]);
  });

  it('what no document takes for a security archive any more is not missed', () => {
    const unmatchedOrigins = [{ label: 'Acme' }, { label: 'Gone' }];
    const earlier = remembered(readHost('web-1', { patches: { ...PATCHES, unmatchedOrigins } }));
    const named = wantedBy(forAll('PatchPolicy', 'p', { securityOrigins: [{ label: 'Acme' }] }));
    expect(knownOf(earlier, named).patches.unmatchedOrigins).toEqual([{ label: 'Acme' }]);
    expect(knownOf(earlier, wantedBy()).patches).not.toHaveProperty('unmatchedOrigins');
  });

  it('ports that no Firewall document judged say nothing against one', () => {
    const { firewall: _, ...exposure } = EXPOSURE;
    const earlier = remembered(readHost('web-1', { exposure }));
    expect(knownOf(earlier).exposure).toMatchObject({ firewall: 'Firewall/base', ports: [] });
    expect(unknownHosts([{ ...AWAY, known: knownOf(earlier) }])).toEqual(['web-1']);
    expect(knownOf(earlier, wantedBy()).exposure.ports).toEqual(EXPOSURE.ports);
  });
});

describe('of a server that was read', () => {
  const half = readHost('web-1', { exposure: BLIND, patches: MUTE });

  it('only what could not be looked at is as it was seen last', () => {
    const now = withKnown(half, remembered(readHost('web-1'), half), WANTED);
    expect(now).toEqual({
      ...half,
      exposure: { ...EXPOSURE, why: BLIND.why, asOf: TIMES[0] },
      patches: { ...PATCHES, problem: 'E: broken', asOf: TIMES[0] },
    });
    const whole = readHost('web-1', { patches: { ...PATCHES, others: 7 } });
    expect(withKnown(whole, remembered(readHost('web-1')), WANTED)).toEqual(whole);
  });

  it('it is said where neither it nor an earlier reading knows all that there are alerts of', () => {
    const whole = readHost('web-2');
    expect([half, whole, AWAY].map(isPartlyUnknown)).toEqual([true, false, true]);
    const filled = withKnown(half, remembered(readHost('web-1')), WANTED);
    const { firewall: _, ...undeclared } = BLIND;
    const hosts = (exposure: ReadSecurity['exposure'], patches = PATCHES) => [
      readHost('web-1', { exposure, patches }),
    ];
    expect(unknownHosts([whole, filled])).toEqual([]);
    expect(unknownHosts([AWAY, half].map((host, i) => ({ ...host, host: `web-${i}` })))).toEqual([
      'web-0',
      'web-1',
    ]);
    expect(unknownHosts(hosts(BLIND))).toEqual(['web-1']);
    expect(unknownHosts(hosts(EXPOSURE, MUTE))).toEqual(['web-1']);
    // one alert, by the documents alone
    expect(unknownHosts(hosts(undeclared))).toEqual([]);
    expect(unknownHosts(hosts({ ...BLIND, nobody: true }))).toEqual([]);
  });
});

describe('of ports that whoever tried could not have reached', () => {
  const address = 'fd00::1';
  const open = { address, port: 3306, program: 'mariadbd', open: true, declared: false };
  const unknown = { address, port: 3306, program: 'mariadbd', open: false, unknown: true } as const;
  const [v4] = EXPOSURE.ports;
  if (v4 === undefined) throw new Error('there is no port');
  const seen = readHost('web-1', { exposure: { ...EXPOSURE, from: 'web-9', ports: [v4, open] } });
  const partly = readHost('web-1', {
    exposure: { ...EXPOSURE, ports: [{ ...v4, open: false }, unknown] },
  });
  const carried = { ...open, asOf: TIMES[0], from: 'web-9' };

  it('the earlier view stays, with its time and who saw it, and the others are as of now', () => {
    const now = withKnown(partly, remembered(seen, partly), WANTED);
    expect(now).toMatchObject({ exposure: { from: 'web-2', ports: [{ ...v4, open: false }, carried] } });
    expect([seen, partly].map(isPartlyUnknown)).toEqual([false, true]);
  });

  it('it stays however often nobody could reach them, and when the server is away', () => {
    const earlier = remembered(seen, partly, partly, partly);
    expect(withKnown(partly, earlier, WANTED)).toMatchObject({ exposure: { ports: [{}, carried] } });
    expect(knownOf(earlier).exposure.ports[1]).toEqual(carried);
    const blind = readHost('web-1', { exposure: BLIND });
    const after = remembered(seen, partly, blind);
    expect(withKnown(blind, after, WANTED)).toMatchObject({ exposure: { ports: [{}, carried] } });
  });

  it('nothing is known where nobody ever did, or where no document judged it', () => {
    expect(withKnown(partly, remembered(partly), WANTED)).toEqual(partly);
    expect(unknownHosts([partly, seen])).toEqual(['web-1']);
    const { firewall: _, ...unjudged } = seen.exposure;
    const before = readHost('web-1', { exposure: unjudged });
    expect(withKnown(partly, remembered(before), WANTED)).toEqual(partly);
  });
});
