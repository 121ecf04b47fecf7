import { describe, expect, it } from 'vitest';
import { closedBy, cvesOf, installedSources, trackedSource } from './advisories.ts';
import { ADVISORIES, INVENTORY } from './testing/hosts.ts';

describe('vulnerabilities of a host', () => {
  it('are open, fixable, fixed, or wait for a reboot of the kernel', () => {
    expect(cvesOf(INVENTORY, ADVISORIES).map(({ cve, state }) => [cve, state])).toEqual([
      ['CVE-2026-0001', 'fixable'],
      ['CVE-2026-0002', 'fixed'],
      ['CVE-2026-0003', 'open'],
      ['CVE-2026-0004', 'waiting'],
    ]);
  });

  it('are none of another release, or of a package that is not installed', () => {
    expect(cvesOf({ ...INVENTORY, release: 'bullseye' }, ADVISORIES)).toEqual([]);
    expect(cvesOf({ ...INVENTORY, sources: [] }, ADVISORIES)).toEqual([]);
  });

  it('count for the oldest version that is installed, and for the newest kernel', () => {
    const sources = [
      { source: 'icu', version: '72.1-3+deb12u1' },
      { source: 'icu', version: '67.1-7' },
      { source: 'linux', version: '6.1.90-1' },
      { source: 'linux-signed-arm64', version: '6.1.128+1' },
    ];
    expect(installedSources({ ...INVENTORY, sources })).toEqual([
      { source: 'icu', version: '67.1-7' },
      { source: 'linux', version: '6.1.128-1' },
    ]);
  });

  it('of signed kernels are those of the kernel', () => {
    const signed = { source: 'linux-signed-amd64', version: '6.1.128+1' };
    expect(trackedSource(signed)).toEqual({ source: 'linux', version: '6.1.128-1' });
    expect(trackedSource({ source: 'grub2', version: '2.06+1' })).toEqual({
      source: 'grub2',
      version: '2.06+1',
    });
  });
});

describe('an update closes', () => {
  const closed = (from: string, to: string) => closedBy({ source: 'curl', from, to }, 'bookworm', ADVISORIES);
  it('what is fixed between its two versions, and no more', () => {
    expect(closed('7.88.1-10', '7.88.1-10+deb12u5')).toEqual(['CVE-2026-0001', 'CVE-2026-0002']);
    expect(closed('7.88.1-10+deb12u4', '7.88.1-10+deb12u5+b1')).toEqual(['CVE-2026-0001']);
    expect(closed('7.88.1-10+deb12u5', '7.88.1-10+deb12u6')).toEqual([]);
  });
});
