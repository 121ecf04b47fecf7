import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sarifProblems } from '../../lab/github/sarif/schema.ts';
import { freePort, sshdMissing, startSshd, type TestSshd } from '../hosts/testing/sshd.ts';
import { runSecurity } from './security.ts';

/** As Debian's security tracker says it, for whatever release this machine has. */
const RELEASES = ['bullseye', 'bookworm', 'trixie', 'forky', 'jammy', 'noble', 'resolute'];
const FIXED = { status: 'resolved', fixed_version: '9:1', urgency: 'high' };
const DPKG = {
  'CVE-2099-0001': { releases: Object.fromEntries(RELEASES.map((release) => [release, FIXED])) },
};

/** Of a machine that is not there. */
const GONE = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIPmVMHAgJV5TJFQTPVb1BY0dZ3wYJd1uNvu9Yz8nSPw';

/** What apt plans takes its time where much is outstanding. */
const SLOW = { timeout: 120_000 };

/** Reads this machine through two real sshd, under two names, so that each looks at the other. */
describe.skipIf(sshdMissing() !== undefined)('doaas security report PATH', () => {
  let sshd: TestSshd;
  let other: TestSshd;
  let listening: Server;
  let port = 0;
  let root = '';
  let cache = '';
  let list: Server;
  beforeAll(async () => {
    [sshd, other] = await Promise.all([startSshd(), startSshd()]);
    await writeFile(join(other.folder, 'user.pub'), await readFile(join(sshd.folder, 'user.pub')));
    root = await mkdtemp(join(tmpdir(), 'doaas-security-'));
    cache = await mkdtemp(join(tmpdir(), 'doaas-cache-'));
    list = createHttpServer((_, res) => res.end(JSON.stringify({ dpkg: DPKG }))).listen(0, '127.0.0.1');
    await once(list, 'listening');
    vi.stubEnv('DOAAS_CVE_URL', `http://127.0.0.1:${(list.address() as AddressInfo).port}/`);
    vi.stubEnv('DOAAS_CACHE_DIR', cache);
    port = await freePort();
    listening = createServer().listen(port, '0.0.0.0');
    await writeFile(
      join(root, 'infra.yaml'),
      [server('here', sshd.port, keyOf(sshd)), server('there', other.port, keyOf(other)), firewall()].join(
        '---\n',
      ),
    );
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    listening?.close();
    list?.close();
    await sshd?.stop();
    await other?.stop();
    for (const folder of [root, cache]) await rm(folder, { recursive: true, force: true });
  });

  const keyOf = (of: TestSshd): string => of.target().hostKeys[0]?.split(' ').slice(0, 2).join(' ') ?? '';
  const server = (name: string, at: number, key: string): string =>
    `apiVersion: doaas/v1
kind: Server
metadata: {name: ${name}}
spec: {address: 127.0.0.1, port: ${at}, user: root, become: none, hostKey: "${key}"}
`;
  // what is led on for others is open to none of those who try
  const firewall = () => `apiVersion: doaas/v1
kind: Firewall
metadata: {name: shut}
spec:
  targets: {hosts: [here]}
  portForwards: {office: {port: ${port}, from: [203.0.113.0/24], to: "198.51.100.9:80"}}
`;
  const report = async (...argv: readonly string[]) => {
    const out = { stdout: '', stderr: '' };
    const io = {
      stdout: { write: (text: string) => (out.stdout += text) },
      stderr: { write: (text: string) => (out.stderr += text) },
    };
    const status = await runSecurity(['report', root, ...argv], io, sshd.credentials);
    return { status, ...out };
  };

  test('as data: what is open although it is not declared, and what is outstanding', SLOW, async () => {
    await writeFile(join(root, 'gone.yaml'), server('gone', await freePort(), GONE));
    const { status, stdout } = await report('--json');
    await rm(join(root, 'gone.yaml'));
    expect(status).toBe(1);
    const { hosts, unread, fleet } = JSON.parse(stdout);
    expect(unread).toMatchObject([{ host: 'gone', problem: expect.stringContaining('127.0.0.1') }]);
    const [here, there] = hosts;
    expect(here.exposure).toMatchObject({ firewall: 'Firewall/shut', from: 'there' });
    const seen = (wanted: number) =>
      here.exposure.ports.find((one: { readonly port: number }) => one.port === wanted);
    expect(seen(port)).toMatchObject({ address: '127.0.0.1', open: true, declared: false });
    // this machine has more addresses than its document names
    const tried = here.exposure.ports.map((one: { readonly address: string }) => one.address);
    expect([...new Set(tried)]).toEqual(['127.0.0.1']);
    expect(seen(sshd.port)).toMatchObject({ open: true, declared: true });
    expect(there.exposure).toMatchObject({ from: 'here' });
    expect(there.exposure).not.toHaveProperty('firewall');
    expect(here.patches).not.toHaveProperty('problem');
    expect(here.cves.fixable).toEqual([{ cve: 'CVE-2099-0001', source: 'dpkg', fixed: '9:1' }]);
    expect(fleet.cves).toMatchObject({ source: { kind: 'tracker' }, fixable: 1 });
    expect(await readdir(join(cache, 'advisories'))).toHaveLength(2);
  });

  test('takes secrets out of what servers and connections say', SLOW, async () => {
    vi.stubEnv('DOAAS_SECRET_GONE', '127.0.0.1');
    const holder = `apiVersion: doaas/v1
kind: Configuration
metadata: {name: holder}
spec:
  targets: {hosts: [gone]}
  variables: {place: {type: secret}}
  files: {/etc/holder: {template: holder}}
---
apiVersion: doaas/v1
kind: Variables
metadata: {name: holder}
spec: {targets: {hosts: [gone]}, values: {place: {secretRef: {env: GONE}}}}
`;
    await writeFile(join(root, 'holder'), '{{place}}\n');
    await writeFile(join(root, 'gone.yaml'), `${server('gone', await freePort(), GONE)}---\n${holder}`);
    const { stdout } = await report('--json', '--server', 'gone');
    await rm(join(root, 'gone.yaml'));
    const [{ host, problem }] = JSON.parse(stdout).unread;
    expect(host).toBe('gone');
    expect(problem).not.toContain('127.0.0.1');
  });

  test('as data: each control by what became of it', SLOW, async () => {
    const text =
      'apiVersion: doaas/v1\nkind: Hardening\nmetadata: {name: base}\nspec: {targets: {hosts: [here]}}\n';
    await writeFile(join(root, 'hardening.yaml'), text);
    const { stdout } = await report('--json', '--server', 'here');
    await rm(join(root, 'hardening.yaml'));
    const [{ score, passed, failing, notApplicable }] = JSON.parse(stdout).hosts[0].hardening;
    expect(passed).toHaveLength(score.passed);
    expect(new Set([...passed, ...failing.map(({ id }: { readonly id: string }) => id)]).size).toBe(
      score.applicable,
    );
    expect(score.passed).toBeGreaterThan(0);
    expect(notApplicable.length).toBeGreaterThan(0);
    for (const { why } of notApplicable) expect(why).toMatch(/[a-z]/);
  });

  test('as SARIF, at the lines of the documents; one server alone is looked at as well', SLOW, async () => {
    const { status, stdout } = await report('--sarif', '--server', 'here');
    expect(status).toBe(3);
    const sarif = JSON.parse(stdout);
    expect((await sarifProblems())(sarif)).toEqual([]);
    const results: readonly { readonly message: { readonly text: string } }[] = sarif.runs[0].results;
    const [undeclared] = results.filter(({ message }) => message.text.includes(`tcp/${port} `));
    expect(undeclared).toMatchObject({
      ruleId: 'exposure/undeclared-port',
      locations: [
        { physicalLocation: { artifactLocation: { uri: 'infra.yaml' }, region: { startLine: 14 } } },
      ],
    });
    expect(undeclared?.message.text).toContain('there reaches');
  });

  test('names what is wrong with how it is called', async () => {
    await expect(report('--server', 'hre')).rejects.toThrow('There is no server "hre"; did you mean "here"?');
    await expect(report('--json', '--sarif')).rejects.toThrow('Give one of --json, --markdown and --sarif.');
  });
});
