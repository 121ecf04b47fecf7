import { expect, test } from 'vitest';
import { soon } from '../../../test/cpuMs.ts';
import { securityReport } from '../../security/report.ts';
import {
  ADVISORIES,
  EXPOSURE,
  HARDENING,
  HERE,
  INVENTORY,
  MADE,
  PATCHES,
  readHost,
} from '../../security/testing/hosts.ts';
import { renderSecurity } from './security.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';

test('reads as the golden file', async () => {
  const bare = readHost('web-2', {
    hardening: [],
    exposure: { from: 'web-1', ports: EXPOSURE.ports.filter(({ open }) => open), more: 2, unseen: [] },
  });
  const blind = readHost('web-3', {
    patches: {
      ...PATCHES,
      security: [],
      reboot: { required: false, why: [] },
      noSecurityArchive: true,
      unmatchedOrigins: [{ origin: '<i>Acme', label: 'Fixes' }],
    },
    inventory: { ...INVENTORY, sources: [{ source: 'curl', version: '7.88.1-10+deb12u5' }] },
    hardening: [{ ...HARDENING, failing: [], waivers: [] }],
    exposure: {
      firewall: 'Firewall/base',
      why: 'web-1 was lost while it looked',
      ports: [],
      more: 0,
      unseen: [],
    },
  });
  const port = { address: '10.0.0.5', program: 'sshd', open: true };
  const unjudged = readHost('web-5', {
    patches: {
      ...PATCHES,
      security: [
        {
          name: 'acme',
          from: '1',
          to: '2',
          source: 'acme',
          sourceVersion: '1',
          changelog: ['CVE-2026-0007'],
        },
      ],
    },
    exposure: {
      ...EXPOSURE,
      ports: [
        { ...port, port: 22, notJudged: 'unknown-sender' },
        { ...port, port: 443, notJudged: 'too-many-rules' },
        { ...port, port: 8443, notJudged: 'unknown-way-out' },
        { ...port, port: 9100, notJudged: 'too-many-rules', open: false },
      ],
    },
  });
  const v6 = { ...port, address: 'fd00::6' };
  const halfBlind = readHost('web-6', {
    exposure: {
      ...EXPOSURE,
      ports: [
        { ...port, port: 22, declared: true },
        { ...v6, port: 22, open: false, unknown: true },
        { ...v6, port: 443, open: false, unknown: true },
        { ...v6, port: 3306, declared: false, asOf: '2026-11-26T10:00:30.000Z', from: 'web-9' },
      ],
    },
  });
  const stale = readHost('web-6', {
    patches: {
      ...PATCHES,
      security: PATCHES.security.flatMap((update) => [
        { ...update, held: 'asked' as const },
        {
          ...update,
          name: 'linux-image-amd64',
          keptBack: 'Depends: linux-image-6.1.0-32-amd64 but it is not',
        },
      ]),
      dpkgProblem: 'dpkg was interrupted',
      listsAgeSeconds: 40 * 86_400,
      staleArchives: [
        {
          uri: 'http://deb.example/',
          suite: '<b>-security',
          security: true,
          why: 'silent',
          seconds: 60 * 86_400,
        },
        { uri: 'http://me.example/', suite: './', security: false, why: 'never' },
      ],
    },
  });
  const gone = { kind: 'unread', host: 'web-4', problem: 'connect ECONNREFUSED' } as const;
  const report = securityReport([readHost('web-1'), bare, blind, unjudged, halfBlind, stale, gone], {
    ...MADE,
    commit,
    locate: HERE,
    advisories: ADVISORIES,
  });
  await expect(`${renderSecurity(report)}\n`).toMatchFileSnapshot('golden/security.md');
});

test('tells what could not be looked at now as it was seen last', async () => {
  const [asOf, before] = ['2026-11-26T10:00:30.000Z', '2026-11-25T08:00:00.000Z'];
  const gone = {
    kind: 'unread',
    host: 'web-1',
    problem: 'connect ECONNREFUSED',
    known: readHost('web-1', {
      asOf,
      exposure: { ...EXPOSURE, asOf },
      patches: { ...PATCHES, asOf: before },
    }),
  } as const;
  const half = readHost('web-2', {
    exposure: { ...EXPOSURE, why: 'web-1 was lost while it looked', asOf },
    patches: { ...PATCHES, problem: 'E: broken packages', asOf: before },
  });
  const blank = readHost('web-3', {
    patches: { ...PATCHES, security: [], others: 0, problem: 'E: broken packages', unknown: true },
  });
  const never = { kind: 'unread', host: 'web-4', problem: 'no route' } as const;
  const report = securityReport([gone, half, blank, never], {
    ...MADE,
    commit,
    locate: HERE,
    advisories: ADVISORIES,
  });
  await expect(`${renderSecurity(report)}\n`).toMatchFileSnapshot('golden/security-earlier.md');
});

test('words of a host or a document stay words', () => {
  const hostile = '@everyone <img src=x> | [click](https://evil.example)`\n\n# heading\n/doaas apply';
  const body = renderSecurity(
    securityReport(
      [
        readHost('web-1', {
          hardening: [
            {
              ...HARDENING,
              failing: [{ id: 'suid', title: 'SUID', severity: 'low', attention: hostile }],
              waivers: HARDENING.waivers.map((waiver) => ({ ...waiver, reason: hostile, owner: hostile })),
            },
          ],
          exposure: { ...EXPOSURE, ports: EXPOSURE.ports.map((port) => ({ ...port, program: hostile })) },
          patches: {
            ...PATCHES,
            problem: hostile,
            dpkgProblem: hostile,
            reboot: { required: true, why: [hostile] },
          },
        }),
        { kind: 'unread', host: 'web-2', problem: hostile },
      ],
      { ...MADE, locate: HERE },
    ),
  );
  const outsideCode = body.replace(/(`+|<code>).*?(\1|<\/code>)/g, '');
  expect(outsideCode).not.toMatch(/(^|[^;])@\w|<img|[^\\]\]\(|:\/\/|^# |^\/doaas/m);
});

test(
  'is rendered in time that nothing an update closes makes long',
  soon(() => {
    const security = Array.from({ length: 100 }, (_, i) => ({
      name: `p${i}`,
      from: '1',
      to: '2',
      source: 'acme',
      changelog: Array.from({ length: 500 }, (_, k) => `CVE-2026-${100_000 + 500 * i + k}`),
    }));
    const report = securityReport([readHost('web-1', { patches: { ...PATCHES, security } })], {
      ...MADE,
      locate: HERE,
    });
    expect(renderSecurity(report)).toContain('by its changelog: CVE-2026-100000, CVE-2026-100001, ');
  }),
);
