import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sarifProblems } from '../../lab/github/sarif/schema.ts';
import { freePort, sshdMissing, startSshd, type TestSshd } from '../hosts/testing/sshd.ts';
import { runSecurity } from './security.ts';

/** What apt plans takes its time where much is outstanding. */
const SLOW = { timeout: 120_000 };

/** Reads this machine through a real sshd, twice under two names, so that each looks at the other. */
describe.skipIf(sshdMissing() !== undefined)('doaas security report PATH', () => {
  let sshd: TestSshd;
  let listening: Server;
  let port = 0;
  let root = '';
  beforeAll(async () => {
    sshd = await startSshd();
    root = await mkdtemp(join(tmpdir(), 'doaas-security-'));
    port = await freePort();
    listening = createServer().listen(port, '0.0.0.0');
    await writeFile(
      join(root, 'infra.yaml'),
      [server('here', sshd.port), server('there', sshd.port, 'localhost'), firewall].join('---\n'),
    );
  });
  afterAll(async () => {
    listening?.close();
    await sshd?.stop();
    await rm(root, { recursive: true, force: true });
  });

  const server = (name: string, at: number, address = '127.0.0.1'): string =>
    `apiVersion: doaas/v1\nkind: Server\nmetadata: {name: ${name}}\nspec: {address: ${address}, port: ${at}, user: root, become: none, hostKey: "${sshd.target().hostKeys[0]?.split(' ').slice(0, 2).join(' ')}"}\n`;
  const firewall =
    'apiVersion: doaas/v1\nkind: Firewall\nmetadata: {name: shut}\nspec:\n  targets: {hosts: [here]}\n';
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
    await writeFile(join(root, 'gone.yaml'), server('gone', await freePort()));
    const { status, stdout } = await report('--json');
    await rm(join(root, 'gone.yaml'));
    expect(status).toBe(1);
    const { hosts, unread } = JSON.parse(stdout);
    expect(unread).toMatchObject([{ host: 'gone', problem: expect.stringContaining('127.0.0.1') }]);
    const [here, there] = hosts;
    expect(here.exposure).toMatchObject({ firewall: 'Firewall/shut', from: 'there' });
    const seen = (wanted: number) =>
      here.exposure.ports.find((one: { readonly port: number }) => one.port === wanted);
    expect(seen(port)).toMatchObject({ address: '127.0.0.1', open: true, declared: false });
    expect(seen(sshd.port)).toMatchObject({ open: true, declared: true });
    expect(there.exposure).toMatchObject({ from: 'here' });
    expect(there.exposure).not.toHaveProperty('firewall');
    expect(here.patches).not.toHaveProperty('problem');
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
