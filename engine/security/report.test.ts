import { describe, expect, it } from 'vitest';
import { soon } from '../../test/cpuMs.ts';
import { findingsOf, LISTS_OLD, NO_SECURITY_ARCHIVE, SECURITY_UPDATE } from './findings.ts';
import type { HostSecurity, OutstandingUpdate, Patches, SeenPort } from './host.ts';
import { securityReport } from './report.ts';
import {
  ADVISORIES,
  EXPOSURE,
  HARDENING,
  HERE,
  INVENTORY,
  MADE,
  PATCHES,
  readHost,
} from './testing/hosts.ts';

const reportOf = (hosts: readonly HostSecurity[]) =>
  securityReport(hosts, { ...MADE, locate: HERE, advisories: ADVISORIES });

const UNREAD = { kind: 'unread', host: 'web-3', problem: 'it does not answer' } as const;
const OPEN = readHost('web-2', {
  hardening: [],
  exposure: {
    from: 'web-1',
    ports: EXPOSURE.ports.map((port) => ({ ...port, declared: false })),
    more: 0,
    unseen: [],
  },
});

describe('the report of a fleet', () => {
  it('sums what was read, and names whom no document covers', () => {
    const { fleet, unread } = reportOf([readHost('web-1'), readHost('web-4'), OPEN, UNREAD]);
    expect(unread).toEqual([{ host: 'web-3', problem: 'it does not answer' }]);
    expect(fleet).toMatchObject({
      read: 3,
      unread: 1,
      withoutHardening: ['web-2'],
      withoutFirewall: ['web-2'],
      controls: { passed: 2, applicable: 4 },
      bySeverity: { high: { passed: 2, applicable: 4 }, low: { passed: 0, applicable: 0 } },
      waivers: 2,
      expiredWaivers: 1,
      undeclaredPorts: 2,
      unjudgedPorts: 0,
      securityUpdates: 6,
      waitingForReboot: ['web-1', 'web-4', 'web-2'],
      updatesUnknown: [],
    });
  });

  it('counts the updates that a bound left out of a server', () => {
    const { fleet } = reportOf([readHost('web-1', { patches: { ...PATCHES, moreSecurity: 500 } })]);
    expect(fleet.securityUpdates).toBe(502);
  });

  it('says of each vulnerability on how many servers it stands how', () => {
    const patched = readHost('web-5', {
      inventory: { ...INVENTORY, sources: [{ source: 'curl', version: '7.88.1-10+deb12u5' }] },
    });
    const { cves } = reportOf([readHost('web-1'), readHost('web-2'), patched]).fleet;
    expect(cves).toMatchObject({ open: 1, fixable: 1, waiting: 1, fixed: 1 });
    expect(cves.rows).toEqual([
      { cve: 'CVE-2026-0004', source: 'linux', servers: { open: 0, fixable: 0, waiting: 2, fixed: 0 } },
      { cve: 'CVE-2026-0001', source: 'curl', servers: { open: 0, fixable: 2, waiting: 0, fixed: 1 } },
    ]);
    const changelog = PATCHES.security.map((update) => ({ ...update, changelog: ['CVE-2026-0001'] }));
    const told = securityReport([readHost('web-1', { patches: { ...PATCHES, security: changelog } })], {
      ...MADE,
      locate: HERE,
    });
    expect(told.fleet.cves).toMatchObject({ source: { kind: 'changelogs' }, fixable: 1, open: 0 });
    expect(told.hosts[0]?.patches.security[0]?.cves).toEqual(['CVE-2026-0001']);
    expect(securityReport([readHost('web-1')], { ...MADE, locate: HERE }).fleet.cves).toMatchObject({
      source: { kind: 'none' },
      rows: [],
    });
  });
});

/** Epochs of packages are above every version of their sources. */
const own = (more: Partial<OutstandingUpdate>): OutstandingUpdate => ({
  name: 'curlutils',
  from: '1:7.88.1-10+deb12u4',
  to: '1:7.88.1-10+deb12u5',
  source: 'curl',
  sourceVersion: '7.88.1-10+deb12u4',
  ...more,
});
const ACME = {
  name: 'acme',
  from: '1',
  to: '2',
  source: 'acme',
  sourceVersion: '1',
  changelog: ['CVE-2026-0007'],
};

describe('what an update closes', () => {
  const [curl = own({}), libcurl = own({})] = PATCHES.security;
  const closed = (security: readonly OutstandingUpdate[]) =>
    reportOf([readHost('web-1', { patches: { ...PATCHES, security } })]).hosts[0]?.patches.security.map(
      ({ name, cves, cvesBy }) => [name, cvesBy, ...cves],
    );

  it('is told by the list for versions of the source, and of others by what it says of that source or by changelogs', () => {
    expect(closed([curl, own({})])).toEqual([
      ['curl', 'list', 'CVE-2026-0001'],
      ['curlutils', 'list', 'CVE-2026-0001'],
    ]);
    expect(closed([own({ changelog: ['CVE-2026-0006'] })])).toEqual([
      ['curlutils', 'changelog', 'CVE-2026-0006'],
    ]);
    expect(closed([own({})])).toEqual([['curlutils', 'changelog']]);
    expect(closed([{ ...ACME }, { ...curl, changelog: ['CVE-2026-0006'] }])).toEqual([
      ['acme', 'changelog', 'CVE-2026-0007'],
      ['curl', 'list', 'CVE-2026-0001'],
    ]);
  });

  it('is not taken from versions of which an engine before did not say whose they are', () => {
    const { sourceVersion: _, ...before } = libcurl;
    expect(closed([before])).toEqual([['libcurl4', 'changelog']]);
  });

  it(
    'is told in time that no list of updates makes long',
    soon(() => {
      const names = Array.from({ length: 5_000 }, (_, i) => `p${i}`);
      const named = names.map((name, i) => ({ ...ACME, name, changelog: [`CVE-2026-${10_000 + i}`] }));
      const { hosts } = reportOf([readHost('web-1', { patches: { ...PATCHES, security: named } })]);
      const told = hosts[0]?.patches.security.map(({ cves, cvesBy }) => `${cvesBy} ${cves.length}`);
      expect(new Set(told)).toEqual(new Set([`changelog ${names.length}`]));
    }),
  );

  it(
    'is told by a long list in time that no versions make long',
    soon(() => {
      const bookworm = Array.from({ length: 1_000 }, (_, i) => ({
        cve: `CVE-2026-${10_000 + i}`,
        fixed: `1.${i}-1`,
      }));
      const advisories = { ...ADVISORIES, sources: new Map([['linux', { bookworm }]]) };
      const security = Array.from({ length: 500 }, (_, i) => ({
        name: `linux-image-${i}`,
        from: `0.${i}`,
        sourceVersion: `0.${i}`,
        source: 'linux',
        to: '2',
      }));
      const { hosts } = securityReport([readHost('web-1', { patches: { ...PATCHES, security } })], {
        ...MADE,
        locate: HERE,
        advisories,
      });
      const told = hosts[0]?.patches.security.map(({ cves, cvesBy }) => `${cvesBy} ${cves.length}`);
      expect(new Set(told)).toEqual(new Set(['list 1000']));
    }),
  );

  it('counts for the fleet: of what the list knows by its versions alone, of all else by changelogs', () => {
    const security = [curl, own({ changelog: ['CVE-2026-0006'] }), ACME, { ...ACME, name: 'acme-doc' }];
    const { fleet, hosts } = reportOf([readHost('web-1', { patches: { ...PATCHES, security } })]);
    expect(fleet.cves).toMatchObject({ source: { kind: 'tracker', changelogs: true }, open: 1, fixable: 2 });
    expect(hosts[0]?.cves.fixable).toEqual([
      { cve: 'CVE-2026-0001', source: 'curl', fixed: '7.88.1-10+deb12u5' },
      { cve: 'CVE-2026-0007', source: 'acme', fixed: '2' },
    ]);
    expect(reportOf([readHost('web-1')]).fleet.cves.source).not.toHaveProperty('changelogs');
  });
});

describe('findings', () => {
  const ids = (hosts: readonly HostSecurity[]) => findingsOf(reportOf(hosts)).map(({ rule }) => rule.id);

  it('are one for each failing control, undeclared port, expired waiver and host without a firewall, the worst first', () => {
    expect(ids([readHost('web-1'), readHost('web-4'), OPEN, UNREAD])).toEqual([
      'hardening/ssh-root-login',
      'hardening/ssh-root-login',
      'exposure/undeclared-port',
      'exposure/undeclared-port',
      ...Array(6).fill('patches/security-update'),
      'hardening/expired-waiver',
      'exposure/no-firewall',
      ...Array(3).fill('patches/reboot-required'),
    ]);
  });

  it('are none where everything holds', () => {
    const hardening = [{ ...HARDENING, failing: [], waivers: [] }];
    const ports = EXPOSURE.ports.filter(({ open, declared }) => !open || declared);
    const patches = { ...PATCHES, security: [], reboot: { required: false, why: [] } };
    expect(ids([readHost('web-1', { hardening, patches, exposure: { ...EXPOSURE, ports } })])).toEqual([]);
  });

  it('say where package lists are old or missing that what is out is not known', () => {
    const lists = (patches: Partial<Patches>) =>
      findingsOf(reportOf([readHost('web-1', { patches: { ...PATCHES, security: [], ...patches } })]))
        .filter(({ rule }) => rule === LISTS_OLD)
        .map(({ message }) => message);
    expect(lists({ listsAgeSeconds: 2 * 86_400 })).toEqual([]);
    expect(lists({ listsAgeSeconds: 40 * 86_400 })).toEqual([
      'The package lists of web-1 are 40 days old, so newer updates are not known.',
    ]);
    const archive = { uri: 'http://a.example.org/', suite: 'bookworm-security', security: true } as const;
    expect(lists({ staleArchives: [{ ...archive, why: 'silent', seconds: 12 * 86_400 }] })).toEqual([
      'On web-1, newer updates are not known of http://a.example.org/ bookworm-security of security updates, which last answered 12 days ago.',
    ]);
    expect(lists({ unknown: true, problem: 'E: broken packages' })).toEqual([
      'What updates are out for web-1 is not known: E: broken packages.',
    ]);
    expect(lists({ unknown: true })).toEqual([
      'What updates are out for web-1 is not known: it has no package lists.',
    ]);
  });

  it('say that a server has no archive of security updates, and what its document names in vain', () => {
    const told = (patches: Partial<Patches>) =>
      findingsOf(reportOf([readHost('web-1', { patches: { ...PATCHES, security: [], ...patches } })]))
        .filter(({ rule }) => rule === NO_SECURITY_ARCHIVE)
        .map(({ message }) => message);
    expect(told({})).toEqual([]);
    expect(told({ noSecurityArchive: true })).toEqual([
      'None of the archives that apt reads on web-1 is one of security updates, so no security update is ever known.',
    ]);
    const unmatchedOrigins = [{ label: 'Acme-Security' }, { origin: 'Acme', suite: 'fixes' }];
    expect(told({ policy: 'PatchPolicy/p', unmatchedOrigins })).toEqual([
      'None of the archives that apt reads on web-1 is what "securityOrigins" of PatchPolicy/p names: label Acme-Security; origin Acme, suite fixes.',
    ]);
  });

  it('leave no server among those of which all updates are known where they may not be', () => {
    const stale = { uri: 'http://a.example.org/', suite: './', security: false, why: 'never' } as const;
    const parts: readonly Partial<Patches>[] = [
      {},
      { staleArchives: [stale] },
      { listsAgeSeconds: 40 * 86_400 },
      { unknown: true },
      { problem: 'the server has no apt' },
      { noSecurityArchive: true },
      { unmatchedOrigins: [{ label: 'Acme' }] },
    ];
    const { fleet, hosts } = reportOf(
      parts.map((patches, n) => readHost(`web-${n}`, { patches: { ...PATCHES, ...patches } })),
    );
    expect(fleet.updatesUnknown).toEqual(['web-1', 'web-2', 'web-3', 'web-4', 'web-5', 'web-6']);
    expect(hosts.map(({ unsure }) => unsure.length)).toEqual([0, 1, 1, 1, 1, 1, 1]);
  });

  it('say of ports that were not judged that they were not, never that they are as declared', () => {
    const port = { address: '10.0.0.1', program: '', open: true };
    const ports: readonly SeenPort[] = [
      { ...port, port: 443, notJudged: 'too-many-rules' },
      { ...port, port: 443, address: 'fd00::1', notJudged: 'too-many-rules' },
      { ...port, port: 8443, notJudged: 'too-many-rules' },
      { ...port, port: 9100, notJudged: 'unknown-sender' },
      { ...port, port: 80, open: false, notJudged: 'too-many-rules' },
    ];
    const report = reportOf([readHost('web-1', { exposure: { ...EXPOSURE, ports } })]);
    expect(report.fleet).toMatchObject({ undeclaredPorts: 0, unjudgedPorts: 4 });
    const found = findingsOf(report).filter(({ rule }) => rule.id.startsWith('exposure/'));
    expect(found).toMatchObject([
      {
        rule: { id: 'exposure/not-judged', severity: 'low' },
        message:
          'web-2 reaches tcp/443, tcp/8443 of web-1, and Firewall/base has too many rules about that to say whether it should.',
        document: 'Firewall/base',
        pointer: '/spec/inbound',
      },
    ]);
  });

  it('have fingerprints that words, order and other hosts do not change', () => {
    const [control] = findingsOf(reportOf([readHost('web-1')]));
    const worded = { ...HARDENING, failing: HARDENING.failing.map((one) => ({ ...one, attention: 'look' })) };
    const later = findingsOf(reportOf([readHost('a'), readHost('web-1', { hardening: [worded] })]));
    const all = later.map(({ fingerprint }) => fingerprint);
    expect(all).toContain(control?.fingerprint);
    expect(new Set(all).size).toBe(all.length);
  });

  it('of a server that could not be read are those of when it was, and say so', () => {
    const asOf = '2026-11-26T10:00:30.000Z';
    const known = readHost('web-3', {
      asOf,
      exposure: { ...EXPOSURE, asOf },
      patches: { ...PATCHES, asOf },
    });
    const now = findingsOf(reportOf([readHost('web-3')]));
    const then = findingsOf(reportOf([{ ...UNREAD, known }]));
    expect(then.map(({ fingerprint }) => fingerprint)).toEqual(now.map(({ fingerprint }) => fingerprint));
    // a waiver that is over stays so
    expect(then.filter(({ isEarlier }) => !isEarlier).map(({ rule }) => rule.id)).toEqual([
      'hardening/expired-waiver',
    ]);
    expect(then[0]?.message).toBe(`As of 2026-11-26 10:00 UTC: ${now[0]?.message}`);
    expect(reportOf([{ ...UNREAD, known }]).fleet).toMatchObject({ read: 0, unread: 1, securityUpdates: 0 });
  });

  it('of ports that could not be reached now are those of when they were, told by who saw them', () => {
    const [asOf, from] = ['2026-11-26T10:00:30.000Z', 'web-9'];
    const ports = EXPOSURE.ports.map((port) => (port.port === 3306 ? { ...port, asOf, from } : port));
    const texts = (firewall?: string) => {
      const { firewall: _, ...exposure } = { ...EXPOSURE, ports };
      const host = readHost('web-1', { exposure: { ...exposure, ...(firewall && { firewall }) } });
      const found = findingsOf(reportOf([host])).filter(({ rule }) => rule.id.startsWith('exposure/'));
      return found.map(({ message }) => message);
    };
    expect(texts('Firewall/base')).toEqual([
      'As of 2026-11-26 10:00 UTC: web-9 reaches tcp/3306 of web-1 at 10.0.0.1 (mariadbd), which no rule of Firewall/base opens to it.',
    ]);
    expect(texts()).toEqual([
      'No Firewall document has web-1 among its targets, so nothing says what it lets in. web-2 reaches tcp/22 of it. As of 2026-11-26 10:00 UTC: web-9 reaches tcp/3306 of it.',
    ]);
  });

  it('are at most 100 of the updates of a server, and one of all others, so that none crowds out what others have', () => {
    const [curl = own({})] = PATCHES.security;
    const updatesOf = (count: number, moreSecurity = 0) => {
      const security = Array.from({ length: count }, (_, i) => ({ ...curl, name: `p${i}` }));
      return findingsOf(
        reportOf([readHost('web-1', { patches: { ...PATCHES, security, moreSecurity } })]),
      ).filter(({ rule }) => rule === SECURITY_UPDATE);
    };
    expect(updatesOf(100).map(({ message }) => message.split(' ')[0])).toEqual(
      Array.from({ length: 100 }, (_, i) => `p${i}`),
    );
    const many = updatesOf(2_000, 3_000);
    expect(many).toHaveLength(101);
    expect(many.slice(0, 100)).toEqual(updatesOf(100));
    expect(many[100]).toMatchObject({
      message: 'On web-1, 4900 more security updates are outstanding.',
      document: 'Server/web-1',
    });
    // one more or less is the same thing to mend
    expect(updatesOf(101)[100]).toMatchObject({
      message: 'On web-1, 1 more security update is outstanding.',
      fingerprint: many[100]?.fingerprint,
    });
    expect(new Set(many.map(({ fingerprint }) => fingerprint)).size).toBe(101);
  });

  it('are one of a waiver that a single server calls over, whoever comes after it', () => {
    const waivers = HARDENING.waivers.map((waiver) => ({ ...waiver, expired: false }));
    const slow = readHost('web-4', { hardening: [{ ...HARDENING, waivers }] });
    for (const hosts of [
      [readHost('web-1'), slow],
      [slow, readHost('web-1')],
    ])
      expect(ids(hosts).filter((id) => id === 'hardening/expired-waiver')).toHaveLength(1);
  });

  it('say what to do, and name what the document says', () => {
    const [control, port, update, , waiver] = findingsOf(reportOf([readHost('web-1')]));
    expect(control).toMatchObject({ document: 'Hardening/base', pointer: '/spec/overrides/ssh-root-login' });
    expect(control?.rule.why).not.toBe('');
    expect(port?.message).toBe(
      'web-2 reaches tcp/3306 of web-1 at 10.0.0.1 (mariadbd), which no rule of Firewall/base opens to it.',
    );
    expect(update?.message).toBe(
      'curl on web-1 is 7.88.1-10+deb12u4, and 7.88.1-10+deb12u5 is out; it closes CVE-2026-0001.',
    );
    expect(waiver).toMatchObject({ pointer: '/spec/waivers/cron-allow' });
    expect(waiver?.message).toContain('The waiver of cron-allow ended on 2026-01-31. kate renews it');
  });
});
