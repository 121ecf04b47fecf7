import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandProbe, HttpProbe, Probe } from '../kinds/kind.ts';
import { runProbe } from './probe.ts';
import type { Transport } from './session.ts';
import { freePort, sshdMissing, startSshd, type TestSshd } from './testing/sshd.ts';
import { createTransport } from './transport.ts';

const timing = { withinSeconds: 0.2, everySeconds: 0.1 };

describe.skipIf(sshdMissing() !== undefined)('probes through a real sshd', { timeout: 60_000 }, () => {
  const sshds: TestSshd[] = [];
  const transports: Transport[] = [];
  const servers: Server[] = [];
  let calls = 0;
  let port = 0;
  let securePort = 0;

  const answer: RequestListener = (request, response) => {
    calls += 1;
    const late = request.url === '/late' && calls < 4;
    const stuck = request.url === '/stuck' && calls > 1;
    response.statusCode = late || request.url === '/bad' || request.url === '/stuck' ? 502 : 200;
    if (request.url === '/hang' || stuck) return;
    response.end(request.url === '/big' ? 'b'.repeat(3_000_000) : `host ${request.headers.host} says ok`);
  };
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const start = async (extra: readonly string[]) => {
    const sshd = await startSshd(extra);
    sshds.push(sshd);
    transports.push(createTransport({ credentials: sshd.credentials }));
    return sshd;
  };

  beforeAll(async () => {
    const { folder } = await start([]);
    await start(['AllowTcpForwarding no']);
    const file = (name: string) => join(folder, name);
    const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', file('key.pem')];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-out', file('cert.pem')], {
      stdio: 'ignore',
    });
    port = await listen(createHttp(answer));
    const tls = { key: readFileSync(file('key.pem')), cert: readFileSync(file('cert.pem')) };
    securePort = await listen(createHttps(tls, answer));
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await Promise.all(transports.map((transport) => transport.close()));
    await Promise.all(sshds.map((sshd) => sshd.stop()));
  });

  const probe = (one: Probe, at = 0) => {
    const [sshd, transport] = [sshds[at], transports[at]];
    if (sshd === undefined || transport === undefined) throw new Error('no such sshd');
    return transport.withSession(sshd.target(), (session) => runProbe(session, one));
  };
  const http = (path: string, more: Partial<HttpProbe> = {}): HttpProbe => ({
    kind: 'http',
    url: `http://127.0.0.1:${port}${path}`,
    status: 200,
    ...timing,
    ...more,
  });
  const command = (argv: readonly string[], more: Partial<CommandProbe> = {}): CommandProbe => ({
    kind: 'command',
    argv,
    user: 'nobody',
    exit: 0,
    ...timing,
    withinSeconds: 5,
    everySeconds: 5,
    ...more,
  });

  test.each([0, 1])('http and https pass, directly and through bash (%i)', async (at) => {
    const seen = await probe(http('/', { contains: `host 127.0.0.1:${port} says ok`, withinSeconds: 5 }), at);
    expect(seen).toMatchObject({ kind: 'probe-result', passed: true, tries: 1 });
    expect(seen.detail).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/ answered 200, 1 try in [\d.]+ s$/);
    const secure = await probe(http('/', { url: `https://127.0.0.1:${securePort}/`, withinSeconds: 5 }), at);
    expect(secure).toMatchObject({ passed: true, tries: 1 });
    expect(await probe(http('/big', { contains: 'bbb', withinSeconds: 5 }), at)).toMatchObject({
      passed: true,
    });
  });

  test('a wrong status is tried again until the time is over', async () => {
    const result = await probe(http('/bad', { withinSeconds: 5, everySeconds: 0.2 }));
    expect(result.passed).toBe(false);
    expect(result.tries).toBeGreaterThan(1);
    expect(result.detail).toMatch(/^GET \S+\/bad answered 502, expected 200, \d+ tries in [\d.]+ s$/);
  });

  test('a service that needs a moment passes in the end', async () => {
    calls = 0;
    const result = await probe(http('/late', { withinSeconds: 10, everySeconds: 0.1 }));
    expect(result).toMatchObject({ passed: true, tries: 4 });
  });

  test('a last try that is cut short does not hide what was answered before it', async () => {
    calls = 0;
    const result = await probe(http('/stuck', { withinSeconds: 4 }));
    expect(result).toMatchObject({ passed: false, tries: 2 });
    expect(result.detail).toContain('answered 502, expected 200');
  });

  test('a port is open or closed as it is to be, and nothing is closed where no connection can be made at all', async () => {
    const reach = (at: number, open: boolean) =>
      probe({ kind: 'reach', from: 'x', address: '127.0.0.1', port: at, open, ...timing });
    expect(await reach(port, true)).toMatchObject({ passed: true, tries: 1 });
    expect(await reach(port, false)).toMatchObject({ passed: false });
    expect(await reach(1, false)).toMatchObject({ passed: true, tries: 1 });
    expect((await reach(1, true)).detail).toContain('refused the connection');
    expect((await reach(port, false)).detail).toContain('accepted a connection');
  });

  test('missing text, silence and a closed port are told in words', async () => {
    const missing = await probe(http('/', { contains: 'absent' }));
    expect(missing.detail).toMatch(/answered 200 without "absent" \(it begins "host 127/);
    const hang = await probe(http('/hang', { withinSeconds: 0.5 }));
    expect(hang.detail).toContain('no whole answer within 1 s');
    const closed = await freePort();
    const refused = await probe(http('/', { url: `http://127.0.0.1:${closed}/` }));
    expect(refused).toMatchObject({ passed: false });
    expect(refused.detail).toContain(`127.0.0.1:${closed} refused the connection`);
  });

  test('tcp passes on an open port and fails on a closed one', async () => {
    const tcp = (to: number) => ({ kind: 'tcp' as const, address: '127.0.0.1', port: to, ...timing });
    for (const at of [0, 1]) {
      expect(await probe({ ...tcp(port), withinSeconds: 10 }, at)).toMatchObject({ passed: true });
      const closed = await probe({ ...tcp(await freePort()), withinSeconds: 3 }, at);
      expect(closed).toMatchObject({ passed: false });
      expect(closed.detail).toMatch(/refused the connection/);
    }
  });

  test('a command runs as nobody, its words are never shell code, exit and text are compared', async () => {
    expect(await probe(command(['id', '-un'], { contains: 'nobody' }))).toMatchObject({ passed: true });
    expect(await probe(command(['id', '-un'], { contains: 'root', user: 'root' }))).toMatchObject({
      passed: true,
    });
    const words = '$(id -un); `id` | "x"';
    expect(await probe(command(['printf', '%s', words], { contains: words }))).toMatchObject({
      passed: true,
    });
    expect(await probe(command(['sh', '-c', 'exit 3'], { exit: 3 }))).toMatchObject({ passed: true });
    const failed = await probe(command(['sh', '-c', 'echo why >&2; exit 4']));
    expect(failed.passed).toBe(false);
    expect(failed.detail).toMatch(/" as nobody ended with 4, expected 0: why, 1 try in/);
    const slow = await probe(command(['sleep', '60'], { withinSeconds: 1 }));
    expect(slow.detail).toMatch(/"sleep 60" as nobody did not end within 1 s/);
  });
});
