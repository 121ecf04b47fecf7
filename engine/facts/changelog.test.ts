import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { lines, sh } from '../shell/sh.ts';
import { CHANGELOG_CVES, CVES_SINCE, changelogFact } from './changelog.ts';

const CHANGELOG = `curl (7.88.1-10+deb12u5) bookworm-security; urgency=high

  * Fix CVE-2026-0001 (heap overflow) and CVE-2026-00021, CVE-2026-0001 again

 -- A Maintainer <a@example.org>  Thu, 26 Nov 2026 12:00:00 +0000

curl (7.88.1-10+deb12u4) bookworm; urgency=medium

  * Fix CVE-2025-0009

 -- A Maintainer <a@example.org>  Thu, 26 Jun 2025 12:00:00 +0000
`;

const cves = (from: string) => {
  const { text } = lines(CHANGELOG_CVES, sh`doaas_cves ${from}`);
  const printed = execFileSync('sh', ['-uc', text], { input: CHANGELOG }).toString();
  return changelogFact.parse(printed.split('\n'), { fact: 'changelog', key: 'curl', from }).cves;
};

it('a changelog tells what was mended since a version, each once', () => {
  expect(cves('7.88.1-10+deb12u4')).toEqual(['CVE-2026-0001', 'CVE-2026-00021']);
  expect(cves('7.88.1-10+deb12u5')).toEqual([]);
});

it('one that does not know the version tells nothing: all of its history would be wrong', () => {
  expect(cves('1:1.0')).toEqual([]);
});

it('a package goes by the version of its source as well; without either the list says that it knows neither', () => {
  const since = (own: string, source: string) => {
    const env = { PATH: process.env.PATH, DOAAS_FROM: own, DOAAS_OR: source };
    return execFileSync('sh', ['-uc', CVES_SINCE], { input: CHANGELOG, env })
      .toString()
      .split('\n')
      .filter(Boolean);
  };
  expect(since('7.88.1-10+deb12u4+b1', '7.88.1-10+deb12u4')).toEqual(['CVE-2026-0001', 'CVE-2026-00021']);
  expect(since('7.88.1-10+deb12u5', '7.88.1-10+deb12u5')).toEqual([]);
  expect(since('7.88.1-10~22.04.1', '7.88.1-10~22.04.1')).toEqual(['none']);
});

it('what is no id is not taken over', () => {
  const odd = ['~ cve CVE-2026-1 <b>', '~ cve nothing', 'CVE-2026-0001', '~ cve CVE-2026-0001'];
  expect(changelogFact.parse(odd, { fact: 'changelog', key: 'x', from: '1' }).cves).toEqual([
    'CVE-2026-0001',
  ]);
});
