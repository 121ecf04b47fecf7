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
  update('linux-image-amd64', '6.1.119-1', '6.1.128-1', {
    source: 'linux-signed-amd64',
    sourceVersion: '6.1.119+1',
  }),
  update('acme', '1', '2', { cves: ['CVE-2026-0007'] }),
  update('other', '1', '2'),
];

const state = (release?: string, updates: readonly Update[] = UPDATES): UpdatesState => ({
  present: true,
  ...(release && { release }),
  locks: [],
  updates,
  changes: updates.map(({ name, from, to }) => ({
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

const readings = (release?: string, updates?: readonly Update[]): Readings =>
  new Map([
    [
      itemKey('updates', 'all'),
      { query: { fact: 'updates', key: 'all' }, state: state(release, updates), raw: 'apt' },
    ],
  ]);

const closes = (release: string | undefined, listed: boolean, updates?: readonly Update[]) => {
  const mended = listed ? mendedOn(readings(release, updates), ADVISORIES) : undefined;
  const read = state(release, updates);
  const [step] = upgradeStep(read, patchPolicySpec({}).updates, mended);
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

  it('stands there once a source, whatever version each of its packages is updated from', () => {
    const to = '7.88.1-10+deb12u5';
    const updates = [
      update('curl', '7.88.1-10', to),
      update('libcurl4', '7.88.1-10+deb12u4+b1', to, {
        source: 'curl',
        sourceVersion: '7.88.1-10+deb12u4',
      }),
    ];
    const told = [
      "~ closes CVE-2026-0001, CVE-2026-0002 in curl, by Debian's security tracker of 2026-11-26",
    ];
    expect(closes('bookworm', true, updates)).toEqual(told);
    expect(closes('bookworm', true, [...updates].reverse())).toEqual(told);
  });

  it('is told by the changelog of a package with a version of its own, for the list has those of sources', () => {
    const own = update('curlutils', '1:7.88.1-10+deb12u4', '1:7.88.1-10+deb12u5', {
      source: 'curl',
      sourceVersion: '7.88.1-10+deb12u4',
      cves: ['CVE-2026-0006'],
    });
    expect(closes('bookworm', true, [own])).toEqual(['~ closes CVE-2026-0006, by the changelog of curl']);
    const curl = update('curl', '7.88.1-10+deb12u4', '7.88.1-10+deb12u5', { cves: ['CVE-2026-0006'] });
    expect(closes('bookworm', true, [curl, own])).toEqual([
      "~ closes CVE-2026-0001 in curl, by Debian's security tracker of 2026-11-26",
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
