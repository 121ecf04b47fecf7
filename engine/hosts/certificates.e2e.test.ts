import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sh } from '../shell/sh.ts';
import { CERTIFICATE_SECONDS } from './certificate.ts';
import type { CertificateAuthority, Credentials } from './credentials.ts';
import { HostError } from './host-error.ts';
import type { Transport } from './session.ts';
import { sshdMissing, startSshd, type TestSshd } from './testing/sshd.ts';

const limit = { timeoutSeconds: 20 };
const AUTHORITIES = [
  ['ed25519', '256'],
  ['ecdsa', '256'],
  ['ecdsa', '384'],
  ['ecdsa', '521'],
  ['rsa', '2048'],
] as const;

/** Hosts that know no key of ours, only the authorities. */
describe.skipIf(sshdMissing() !== undefined)('logins with certificates', { timeout: 60_000 }, () => {
  let sshd: TestSshd;
  let folder = '';
  const file = (name: string) => join(folder, name);
  const trusting = () => startSshd([`TrustedUserCAKeys ${file('trusted')}`]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doaas-ca-'));
    for (const [type, bits] of AUTHORITIES) makeKey(type, `ca-${type}-${bits}`, bits);
    makeKey('ed25519', 'ca-other');
    makeKey('ed25519', 'stranger');
    const known = AUTHORITIES.map(([type, bits]) => readFile(file(`ca-${type}-${bits}.pub`), 'utf8'));
    await writeFile(file('trusted'), (await Promise.all(known)).join(''));
    sshd = await trusting();
  });
  afterAll(async () => {
    await sshd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function makeKey(type: string, name: string, bits = '256'): void {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-f', file(name)]);
  }
  const certified = (name: string, more: Partial<CertificateAuthority> = {}): Credentials => ({
    kind: 'credentials',
    keys: [],
    authority: { key: { kind: 'key-file', path: file(name) }, ...more },
  });
  const using = (credentials: Credentials): Transport => sshd.transport({ credentials });
  const says = (transport: Transport, target = sshd.target()) =>
    transport.withSession(target, async (session) => (await session.run(sh`echo in`, limit)).stdout);
  const refusal = async (credentials: Credentials, target = sshd.target()): Promise<HostError> => {
    const error = await says(using(credentials), target).catch((e: unknown) => e);
    if (!(error instanceof HostError)) throw new Error(`expected a HostError, got ${String(error)}`);
    expect(error).toMatchObject({ type: 'auth-failed', retryable: false, ambiguous: false });
    return error;
  };
  const logged = async (work: () => Promise<unknown>): Promise<string> => {
    const before = (await sshd.log()).length;
    await work();
    return (await sshd.log()).slice(before);
  };

  test.each(AUTHORITIES)('an authority of type %s %s lets in', async (type, bits) => {
    const log = await logged(async () =>
      expect(await says(using(certified(`ca-${type}-${bits}`)))).toBe('in\n'),
    );
    expect(log).toMatch(/Accepted publickey for root .* ED25519-CERT .* ID doaas@\S+ on box \(serial \d+\)/);
  });

  test('each login has a key of its own, and a connection outlives its certificate', async () => {
    let behind = (CERTIFICATE_SECONDS - 4) * 1000;
    const transport = using(certified('ca-ed25519-256', { clock: () => Date.now() - behind }));
    const end = Math.floor((Date.now() - behind) / 1000) + CERTIFICATE_SECONDS;
    const log = await logged(async () => {
      await transport.withSession(sshd.target(), async (session) => {
        const wait = sh`while [ "$(date +%s)" -le ${String(end)} ]; do sleep 0.1; done; echo still`;
        expect((await session.run(wait, limit)).stdout).toBe('still\n');
        expect((await session.run(sh`echo and again`, limit)).stdout).toBe('and again\n');
      });
      await transport.empty();
      behind = 0;
      expect(await says(transport)).toBe('in\n');
    });
    const keys = [...log.matchAll(/Accepted publickey .* ED25519-CERT (SHA256:\S+)/g)].map(([, key]) => key);
    expect(new Set(keys).size).toBe(2);
  });

  test('one that is over is refused, with its time and what to check', async () => {
    const clock = () => Date.now() - 2 * CERTIFICATE_SECONDS * 1000;
    let message = '';
    const log = await logged(async () => {
      message = (await refusal(certified('ca-ed25519-256', { clock }))).message;
    });
    expect(message).toMatch(
      /refused the login \(offered: a certificate for root, valid \d{4}-\S+Z to \d{4}-\S+Z, signed by the CA ssh-ed25519 SHA256:\S+\)\./,
    );
    expect(message).toContain('the clock is within that time (date -u)');
    expect(log).toContain('expired');
  });

  test('one of another authority is refused, with its fingerprint and what to check', async () => {
    const print = execFileSync('ssh-keygen', ['-l', '-f', file('ca-other.pub')])
      .toString()
      .split(' ')[1];
    const { message } = await refusal(certified('ca-other'));
    expect(message).toContain(`signed by the CA ssh-ed25519 ${print}`);
    expect(message).toContain("TrustedUserCAKeys in sshd_config names a file with this CA's public key");
    expect(message).not.toContain('authorized_keys');
  });

  test('it counts only from the addresses that it names', async () => {
    expect(await says(using(certified('ca-ed25519-256', { sources: ['10.0.0.0/8', '127.0.0.1'] })))).toBe(
      'in\n',
    );
    const { message } = await refusal(certified('ca-ed25519-256', { sources: ['203.0.113.7'] }));
    expect(message).toContain('DOAAS_SSH_CERTIFICATE_SOURCES');
  });

  test('where the authority is not known yet, the key lets in', async () => {
    const both = { ...certified('ca-other'), keys: sshd.credentials.keys };
    expect(await says(using(both))).toBe('in\n');
    const strange = { ...both, keys: [{ kind: 'key-file' as const, path: file('stranger') }] };
    const { message } = await refusal(strange);
    expect(message).toMatch(/TrustedUserCAKeys.*authorized_keys/);
  });

  test('through a jump host, which gets one of its own; and only forwarding is allowed with it', async () => {
    const inner = await trusting();
    const server = createServer((socket) => socket.end('here'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const target = inner.target({ name: 'inner', jump: sshd.target({ name: 'bastion' }) });
      const transport = using(certified('ca-ecdsa-256'));
      const log = await logged(async () => expect(await says(transport, target)).toBe('in\n'));
      expect(log).toContain('on bastion (serial');
      expect(await inner.log()).toContain('on inner (serial');
      const answer = await transport.withSession(target, async (session) => {
        let text = '';
        for await (const chunk of await session.connect('127.0.0.1', portOf(server))) text += String(chunk);
        return text;
      });
      expect(answer).toBe('here');
      await transport.close();
    } finally {
      server.close();
      await inner.stop();
    }
  });

  test('a key that cannot be an authority is named', async () => {
    await writeFile(file('ca-loose'), await readFile(file('ca-ed25519-256')), { mode: 0o644 });
    const told = async (name: string) => {
      const error = await says(using(certified(name))).catch((e: unknown) => e);
      expect(error).toMatchObject({ type: 'credentials-unusable' });
      return (error as Error).message;
    };
    expect(await told('nowhere')).toMatch(/the CA key file \S+nowhere cannot be read: .*no such file/);
    expect(await told('ca-loose')).toContain('mode 0644, so others may read it');
    expect(await told('ca-ed25519-256.pub')).toMatch(/mode 0644|the private one is needed/);
  });
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
