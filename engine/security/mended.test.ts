import { describe, expect, it } from 'vitest';
import { itemKey, type Readings } from '../facts/fact.ts';
import type { Update, UpdatesState } from '../facts/updates.ts';
import { patchPolicySpec } from '../kinds/patchPolicy/testing/spec.ts';
import { upgradeStep } from '../kinds/patchPolicy/upgrade.ts';
import { mendedOn, outstandingSources } from './mended.ts';
import { ADVISORIES } from './testing/hosts.ts';

const update = (name: string, from: string, to: string, more: Partial<Update> = {}): Update => ({
  name,
  from,
  to,
  candidate: to,
  source: name,
  sourceVersion: from,
  state: 'selected',
  previous: 'archive',
  security: true,
  versions: [],
  conffiles: [],
  ...more,
});

const UPDATES = [
  update('curl', '7.88.1-10+deb12u4', '7.88.1-10+deb12u5', { cves: ['CVE-2026-0008'] }),
  update('libcurl4', '7.88.1-10+deb12u4', '7.88.1-10+deb12u5', { source: 'curl' }),
  update('linux-image-amd64', '6.1.119-1', '6.1.128-1', { source: 'linux-signed-amd64' }),
  update('acme', '1', '2', { cves: ['CVE-2026-0007'] }),
  update('other', '1', '2'),
];

const state = (release?: string): UpdatesState => ({
  present: true,
  ...(release && { release }),
  locks: [],
  updates: UPDATES,
  changes: UPDATES.map(({ name, from, to }) => ({
    name,
    from,
    to,
    downloadBytes: 0,
    installedBytes: 0,
    installedBytesBefore: 0,
  })),
  keptBack: [],
  disk: [],
  shortages: [],
  restarts: { kind: 'absent' },
  reboot: { required: false, why: [], kernelRunning: '6.1.0-30-amd64', initrdBytes: 0 },
  failedUnits: [],
});

const readings = (release?: string): Readings =>
  new Map([
    [
      itemKey('updates', 'all'),
      { query: { fact: 'updates', key: 'all' }, state: state(release), raw: 'apt' },
    ],
  ]);

const closes = (release: string | undefined, listed: boolean) => {
  const mended = listed ? mendedOn(readings(release), ADVISORIES) : undefined;
  const [step] = upgradeStep(state(release).changes, state(release), patchPolicySpec({}).updates, mended);
  return step?.diff.split('\n').filter((line) => line.startsWith('~ closes'));
};

describe('what outstanding updates close', () => {
  it('is asked of the list for their sources, as it names them', () => {
    expect(outstandingSources(readings())).toEqual(['curl', 'curl', 'linux', 'acme', 'other']);
    expect(outstandingSources(new Map())).toEqual([]);
  });

  it('stands in the plan by the list with its date, and by the changelog of what the list does not know', () => {
    expect(closes('bookworm', true)).toEqual([
      "~ closes CVE-2026-0001 in curl, by Debian's security tracker of 2026-11-26",
      "~ closes CVE-2026-0004 in linux-signed-amd64, by Debian's security tracker of 2026-11-26",
      '~ closes CVE-2026-0007, by the changelog of acme',
    ]);
  });

  it('is told by the changelogs alone without a list, or where it knows nothing of the release', () => {
    const told = [
      '~ closes CVE-2026-0008, by the changelog of curl',
      '~ closes CVE-2026-0007, by the changelog of acme',
    ];
    for (const [release, listed] of [
      ['bookworm', false],
      ['noble', true],
      [undefined, true],
    ] as const)
      expect(closes(release, listed)).toEqual(told);
  });
});
