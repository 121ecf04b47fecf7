import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, sshdMissing, startSshd, type TestSshd } from '../hosts/testing/sshd.ts';
import { parsePlace, runScan } from './scan.ts';
import { documentName } from './scan-document.ts';

describe.skipIf(sshdMissing() !== undefined)('doaas scan', { timeout: 30_000 }, () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  const scan = async (args: readonly string[], credentials = sshd.credentials) => {
    const out: string[] = [];
    const err: string[] = [];
    const io = {
      out: (text: string) => void out.push(text),
      err: (text: string) => void err.push(text),
      credentials,
    };
    const code = await runScan(args, io);
    return { code, out: out.join(''), err: err.join('') };
  };

  test('prints the document with the key that the server really has, and facts', async () => {
    const { code, out, err } = await scan([`127.0.0.1:${sshd.port}`]);
    expect(code).toBe(0);
    const key = execFileSync('cat', [join(sshd.folder, 'host.pub')])
      .toString()
      .split(' ')
      .slice(0, 2)
      .join(' ');
    expect(load(out)).toEqual({
      apiVersion: 'doaas/v1',
      kind: 'Server',
      metadata: { name: 'host-127-0-0-1' },
      spec: { address: '127.0.0.1', port: sshd.port, user: 'root', become: 'none', hostKey: key },
    });
    expect(out).toMatch(/^# OS: .+kernel.+\n# CPUs: \d+, memory: [\d.]+ GiB, root file system: [\d.]+ GiB/);
    const print = execFileSync('ssh-keygen', ['-l', '-f', join(sshd.folder, 'host.pub')])
      .toString()
      .split(' ')[1];
    expect(err).toContain(`Compare the fingerprint before you commit this`);
    expect(err).toContain(`ssh-ed25519 ${print}`);
  });

  test('without a login it prints the document and says why there are no facts; --json is data', async () => {
    const { code, out } = await scan([`127.0.0.1:${sshd.port}`, '--json'], { kind: 'credentials', keys: [] });
    expect(code).toBe(0);
    const report: unknown = JSON.parse(out);
    expect(report).toMatchObject({
      kind: 'scan-report',
      port: sshd.port,
      hostKeys: [{ type: 'ssh-ed25519' }],
    });
    expect(out).toContain('there is no private key, no certificate authority and no agent');
  });

  test('nothing there and wrong arguments are told apart by exit code and sentence', async () => {
    const closed = await scan([`127.0.0.1:${await freePort()}`]);
    expect(closed).toMatchObject({ code: 1, out: '' });
    expect(closed.err).toContain('connection refused');
    await expect(scan(['a b'])).rejects.toMatchObject({ exit: 2 });
  });
});

test('places and names', () => {
  expect(parsePlace('web-1.internal:2222')).toEqual({ address: 'web-1.internal', port: 2222 });
  expect(parsePlace('[2001:db8::5]:22')).toEqual({ address: '2001:db8::5', port: 22 });
  expect(parsePlace('2001:db8::5')).toEqual({ address: '2001:db8::5', port: 22 });
  expect(parsePlace('host:70000')).toBeUndefined();
  expect(parsePlace('-oProxyCommand=x')).toBeUndefined();
  expect([documentName('web-1.internal'), documentName('10.0.0.5')]).toEqual(['web-1', 'host-10-0-0-5']);
});
