import type { InventoryState } from '../../facts/inventory.ts';
import type { Position } from '../../spec/manifest.ts';
import type { Advisories } from '../advisories.ts';
import type { Exposure, HardeningState, Patches, ReadSecurity } from '../host.ts';

export const INVENTORY: InventoryState = {
  present: true,
  release: 'bookworm',
  addresses: ['10.0.0.1'],
  sources: [
    { source: 'curl', version: '7.88.1-10+deb12u4' },
    { source: 'linux-signed-amd64', version: '6.1.119+1' },
    { source: 'linux-signed-amd64', version: '6.1.128+1' },
  ],
  kernel: { source: 'linux-signed-amd64', version: '6.1.119+1' },
};

export const ADVISORIES: Advisories = {
  from: "Debian's security tracker",
  date: '2026-11-26T12:00:00Z',
  sources: new Map([
    [
      'curl',
      {
        bookworm: [
          { cve: 'CVE-2026-0001', fixed: '7.88.1-10+deb12u5' },
          { cve: 'CVE-2026-0002', fixed: '7.88.1-10+deb12u3' },
          { cve: 'CVE-2026-0003' },
        ],
        trixie: [{ cve: 'CVE-2026-0009', fixed: '9' }],
      },
    ],
    ['linux', { bookworm: [{ cve: 'CVE-2026-0004', fixed: '6.1.123-1' }] }],
    ['nginx', { bookworm: [{ cve: 'CVE-2026-0005', fixed: '1.22.1-9+deb12u1' }] }],
  ]),
};

const CURL = {
  from: '7.88.1-10+deb12u4',
  to: '7.88.1-10+deb12u5',
  source: 'curl',
  sourceVersion: '7.88.1-10+deb12u4',
};

export const PATCHES: Patches = {
  security: [
    { name: 'curl', ...CURL, archive: 'Debian-Security bookworm-security/main' },
    { name: 'libcurl4', ...CURL, held: 'held' },
  ],
  others: 3,
  restarts: { kind: 'known', version: '3.6-4+deb12u3', units: ['cron.service'], deferred: [] },
  reboot: { required: true, why: ['linux-image-6.1.0-31-amd64'] },
  listsAgeSeconds: 900,
};

/** Of a report. */
export const MADE = { now: Date.parse('2026-11-26T12:00:30Z'), version: '1.2.3' };

/** Everything at one line. */
export const HERE = (): Position => ({ file: 'sec.yaml', line: 7, column: 1, endLine: 7, endColumn: 2 });

const NONE = { passed: 0, applicable: 0 };

export const HARDENING: HardeningState = {
  document: 'Hardening/base',
  profile: 'baseline',
  score: {
    passed: 1,
    applicable: 2,
    bySeverity: { critical: NONE, high: { passed: 1, applicable: 2 }, medium: NONE, low: NONE },
  },
  failing: [{ id: 'ssh-root-login', title: 'Root does not log in with a password', severity: 'high' }],
  passed: ['ssh-x11-forwarding'],
  notApplicable: [{ id: 'of-another-profile', why: 'nothing of it is here' }],
  waivers: [
    { id: 'cron-allow', reason: 'a batch user', owner: 'kate', expires: '2026-01-31', expired: true },
    { id: 'umask-login', reason: 'shared files', owner: 'joe', expires: '2030-01-31', expired: false },
  ],
};

export const EXPOSURE: Exposure = {
  firewall: 'Firewall/base',
  from: 'web-2',
  ports: [
    { address: '10.0.0.1', port: 22, program: 'sshd', open: true, declared: true },
    { address: '10.0.0.1', port: 3306, program: 'mariadbd', open: true, declared: false },
    { address: '10.0.0.1', port: 443, program: '', open: false, declared: true },
    { address: '10.0.0.1', port: 9100, program: 'node_exporter', open: false, declared: false },
  ],
  more: 0,
  unseen: ['fd00::1'],
};

/** A server that was read, with what a test gives. */
export function readHost(host: string, part: Partial<ReadSecurity> = {}): ReadSecurity {
  return {
    kind: 'read',
    host,
    hardening: [HARDENING],
    exposure: EXPOSURE,
    patches: PATCHES,
    inventory: INVENTORY,
    ...part,
  };
}
