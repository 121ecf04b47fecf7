import { describe, expect, it } from 'vitest';
import { sarifProblems } from '../../lab/github/sarif/schema.ts';
import { loadManifest } from '../spec/load.ts';
import { findingsOf } from './findings.ts';
import { placesIn } from './places.ts';
import { securityReport } from './report.ts';
import { sarifOf } from './sarif.ts';
import { ADVISORIES, HARDENING, MADE, PATCHES, readHost } from './testing/hosts.ts';

const YAML = `apiVersion: doaas/v1
kind: Hardening
metadata: {name: base}
spec:
  targets: {all: true}
  waivers:
    cron-allow: {reason: a batch user, owner: kate, expires: "2026-01-31"}
---
apiVersion: doaas/v1
kind: Firewall
metadata: {name: base}
spec:
  targets: {all: true}
  inbound: {web: {service: https}}
---
apiVersion: doaas/v1
kind: Server
metadata: {name: web-1}
spec: {address: 10.0.0.1}
---
apiVersion: doaas/v1
kind: Server
metadata: {name: web-2}
spec: {address: 10.0.0.2}
`;
const { manifest } = loadManifest(new Map([['sec/a b#1?.yaml', Buffer.from(YAML)]]));
const locate = placesIn(manifest);
const report = (...names: readonly string[]) =>
  securityReport(
    names.map((name) => readHost(name)),
    { ...MADE, locate, advisories: ADVISORIES },
  );
const findings = findingsOf(report('web-1', 'web-2'));
const sarif = sarifOf(findings, { version: '1.2.3', locate });

describe('SARIF', () => {
  it('is valid by the schema of the standard, with findings and without', async () => {
    const problems = await sarifProblems();
    expect(problems(sarif)).toEqual([]);
    expect(problems(sarifOf([], { version: '1.2.3', locate }))).toEqual([]);
    expect(problems({ ...sarif, runs: [{}] })).not.toEqual([]);
  });

  it('tells at the level of a warning of which servers not all updates are known', async () => {
    const stale = {
      uri: 'http://a.example.org/',
      suite: 'b',
      security: true,
      why: 'silent',
      seconds: 259_200,
    } as const;
    const patches = { ...PATCHES, staleArchives: [stale], noSecurityArchive: true } as const;
    const told = findingsOf(securityReport([readHost('web-1', { patches })], { ...MADE, locate }));
    const one = sarifOf(told, { version: '1.2.3', locate });
    expect((await sarifProblems())(one)).toEqual([]);
    const ids = ['patches/lists-old', 'patches/no-security-archive'];
    const results = one.runs[0].results.filter(({ ruleId }) => ids.includes(ruleId));
    expect(results.map(({ ruleId, level, message }) => [ruleId, level, message.text])).toEqual([
      [
        ids[0],
        'warning',
        expect.stringContaining(
          'http://a.example.org/ b of security updates, which last answered 3 days ago',
        ),
      ],
      [ids[1], 'warning', expect.stringContaining('no security update is ever known')],
    ]);
  });

  it('has one result for each finding, at the line of the document', () => {
    const [{ results, tool }] = sarif.runs;
    expect(results.map(({ ruleId }) => ruleId)).toEqual(findings.map(({ rule }) => rule.id));
    const lines = results.map(({ ruleId, locations: [{ physicalLocation }] }) => [
      ruleId,
      physicalLocation.artifactLocation.uri,
      physicalLocation.region.startLine,
    ]);
    expect(lines).toContainEqual(['hardening/expired-waiver', 'sec/a%20b%231%3F.yaml', 7]);
    expect(lines).toContainEqual(['hardening/ssh-root-login', 'sec/a%20b%231%3F.yaml', 4]);
    expect(lines).toContainEqual(['exposure/undeclared-port', 'sec/a%20b%231%3F.yaml', 14]);
    expect(lines).toContainEqual(['patches/security-update', 'sec/a%20b%231%3F.yaml', 23]);
    for (const { ruleIndex, ruleId } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  });

  it('tells what was seen by a document that the commit does not have at the Server document of the server', () => {
    const [finding] = findings;
    if (finding === undefined) throw new Error('there is no finding');
    const later = { ...finding, document: 'Hardening/later' };
    const lineOf = (one: typeof finding) =>
      sarifOf([one], { version: '1', locate }).runs[0].results.map(
        ({ locations: [{ physicalLocation }] }) => physicalLocation.region.startLine,
      );
    expect(lineOf({ ...later, host: 'web-2' })).toEqual([23]);
    expect(lineOf({ ...later, host: 'gone' })).toEqual([]);
    const hardening = [{ ...HARDENING, document: 'Hardening/later' }];
    const { hosts } = securityReport([readHost('web-2', { hardening })], { ...MADE, locate });
    expect(hosts[0]?.hardening[0]?.failing[0]?.at).toEqual({ file: 'sec/a b#1?.yaml', line: 23 });
  });

  it('has no half of a surrogate pair, also where a message is cut in the middle of one', () => {
    const [finding] = findings;
    if (finding === undefined) throw new Error('there is no finding');
    const message = `\ud83d ${'x'.repeat(997)}\u{1f600}`;
    const [result] = sarifOf([{ ...finding, message }], { version: '1', locate }).runs[0].results;
    expect(result?.message.text).toBe(`\ufffd ${'x'.repeat(997)}\ufffd`);
  });

  it('says the same of the same findings: GitHub knows an alert again by it', () => {
    const again = sarifOf(findingsOf(report('web-2', 'web-1')), {
      version: '1.3.0',
      locate,
    });
    const prints = (of: typeof sarif) =>
      of.runs[0].results.map(({ partialFingerprints }) => partialFingerprints.primaryLocationLineHash).sort();
    expect(prints(again)).toEqual(prints(sarif));
    expect(new Set(prints(sarif)).size).toBe(sarif.runs[0].results.length);
  });

  it('is cut to the worst where there is too much, and says so', () => {
    const [run] = sarifOf(findings, { version: '1', locate, max: 2 }).runs;
    expect(run.results.map(({ level }) => level)).toEqual(['error', 'error']);
    expect(run.properties).toEqual({ findings: findings.length, reported: 2 });
  });
});
