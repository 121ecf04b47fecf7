import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { targetOf } from '../hosts/readHost.ts';
import type { Transport } from '../hosts/session.ts';
import { sshdMissing, startSshd, type TestSshd } from '../hosts/testing/sshd.ts';
import { createTransport } from '../hosts/transport.ts';
import { sh } from '../shell/sh.ts';
import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import { openStore, type Store } from '../store/store.ts';
import { meetServers, seenFindings } from './firstUse.ts';

const MEETING = { repository: 'Acme/Infra', pull: 7, headSha: 'a'.repeat(40) };

describe.skipIf(sshdMissing() !== undefined)('servers that were never pinned', { timeout: 60_000 }, () => {
  let folder = '';
  let outer: TestSshd;
  let inner: TestSshd;
  let store: Store;
  let transport: Transport;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doaas-first-use-'));
    [outer, inner] = await Promise.all([startSshd(), startSshd()]);
    await copyFile(join(outer.folder, 'user.pub'), join(inner.folder, 'user.pub'));
    store = await openStore({ file: join(folder, 'store.sqlite') });
    transport = createTransport({ credentials: outer.credentials });
  });
  afterAll(async () => {
    await transport?.close();
    await store?.close();
    await Promise.all([outer?.stop(), inner?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const serverOn = (name: string, { port }: TestSshd, jump?: ResolvedServer): ResolvedServer => ({
    name,
    address: '127.0.0.1',
    port,
    user: 'root',
    become: 'none',
    site: 'default',
    hostKeys: [],
    labels: {},
    ...(jump === undefined ? {} : { jump }),
  });
  const hostOf = (server: ResolvedServer): ResolvedHost => ({
    kind: 'resolved-host',
    name: server.name,
    server,
    documents: [],
  });
  const keyOf = async ({ folder: at }: TestSshd) => {
    const [type, key] = (await readFile(join(at, 'host.pub'), 'utf8')).split(' ');
    return `${type} ${key?.trim()}`;
  };
  const meet = (server: ResolvedServer) => meetServers({ transport, store }, [hostOf(server)], MEETING);

  test('are met with the key that they show, the jump host first, and are held to it', async () => {
    const { hosts, problems } = await meet(serverOn('inner', inner, serverOn('bastion', outer)));
    expect(problems).toEqual([]);
    const [met] = hosts;
    expect(met?.server.hostKeys).toEqual([await keyOf(inner)]);
    expect(met?.server.jump?.hostKeys).toEqual([await keyOf(outer)]);
    const said = await transport.withSession(targetOf(met?.server as ResolvedServer), (session) =>
      session.run(sh`echo in`, { timeoutSeconds: 20 }),
    );
    expect(said.stdout).toBe('in\n');
    const findings = seenFindings(met as ResolvedHost);
    expect(findings.map(({ severity, document }) => [severity, document])).toEqual([
      ['warning', 'Server/inner'],
      ['warning', 'Server/bastion'],
    ]);
    expect(findings[0]?.message).toContain(`then pin it: hostKey: "${await keyOf(inner)}"`);
  });

  test('stand in the audit log, once, with key, fingerprint and head', async () => {
    await meet(serverOn('inner', inner, serverOn('bastion', outer)));
    const print = execFileSync('ssh-keygen', ['-l', '-f', join(inner.folder, 'host.pub')])
      .toString()
      .split(' ')[1];
    const entries = await store.audit.list();
    expect(entries.map(({ what, detail }) => [what, (detail as { server: string }).server])).toEqual([
      ['host-key-first-use', 'bastion'],
      ['host-key-first-use', 'inner'],
    ]);
    expect(entries[1]).toMatchObject({
      who: 'doaas',
      repository: 'Acme/Infra',
      pull: 7,
      headSha: MEETING.headSha,
      detail: {
        address: `127.0.0.1:${inner.port}`,
        key: await keyOf(inner),
        fingerprint: `ssh-ed25519 ${print}`,
      },
    });
  });

  test('that show another key later are not met again', async () => {
    const known = await keyOf(inner);
    const place = { repository: 'acme/infra', server: 'inner', address: `127.0.0.1:${inner.port}` };
    const seen = await store.hostKeys.remember(place, await keyOf(outer), { ...MEETING, detail: {} });
    expect(seen.key).toBe(known);
    expect((await store.hostKeys.of('ACME/infra')).map(({ server, key }) => [server, key])).toContainEqual([
      'inner',
      known,
    ]);
    const other = { ...serverOn('inner', outer), hostKeys: [known], firstSeen: '2026-11-26T11:00:00.000Z' };
    const refused = await transport
      .withSession(targetOf(other), (session) => session.run(sh`true`, { timeoutSeconds: 20 }))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ type: 'host-key-mismatch' });
    expect((refused as Error).message).toMatch(
      /showed another host key than the one that it was first seen with \(2026-11-26T11:00:00\.000Z\).*pin the new key as hostKey in its Server document: "ssh-ed25519 AAAA/,
    );
    expect((refused as Error).message).toContain(await keyOf(outer));
  });

  test('that do not answer are a problem of their own', async () => {
    const { hosts, problems } = await meet({ ...serverOn('gone', outer), port: 1 });
    expect(hosts).toEqual([]);
    expect(problems).toMatchObject([{ kind: 'problem', host: 'gone', away: true }]);
  });
});
