import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { KnownPart } from '../security/known.ts';
import { LATEST, SECURITY_HOST_MAX_BYTES } from './securityHosts.ts';
import type { Store } from './store.ts';

export function securityHostsSuite(store: () => Store): void {
  it('keeps the newest security reading of each server, until it leaves the repository', async () => {
    const repository = `acme/${randomUUID()}`;
    const read = (host: string, problem: string) => ({ kind: 'unread', host, problem }) as const;
    const { securityHosts } = store();
    await securityHosts.save(repository, 1, [read('web-1', 'a'), read('web-2', 'é')]);
    await securityHosts.save(repository, 2, [read('web-1', 'b')]);
    expect(await securityHosts.of(repository, 1)).toEqual([read('web-2', 'é')]);
    expect(await securityHosts.of(repository, 2)).toEqual([read('web-1', 'b')]);
    await securityHosts.keepOnly(repository, ['web-1']);
    expect(await securityHosts.of(repository, 1)).toEqual([]);
    expect(await securityHosts.of(repository, 2)).toHaveLength(1);
    expect(await securityHosts.of('acme/other', 2)).toEqual([]);
    await securityHosts.save(repository, 3, [read('web-1', 'x'.repeat(SECURITY_HOST_MAX_BYTES))]);
    expect(await securityHosts.of(repository, 3)).toMatchObject([
      { host: 'web-1', problem: expect.stringMatching(/^it answered \d+ bytes, over the limit/) },
    ]);
  });

  it('remembers each part of a server as it was known last, and the newest upload, until they are forgotten', async () => {
    const repository = `acme/${randomUUID()}`;
    const { securityHosts } = store();
    const updates = (others: number) => ({ part: 'updates', body: { security: [], others } }) as const;
    const remember = (at: number, host: string, ...parts: readonly KnownPart[]) =>
      securityHosts.remember(repository, at, [{ host, parts }]);
    const server = { part: 'server', body: { kind: 'unread', host: 'web-1', problem: 'é' } } as const;
    await remember(2, 'web-1', server, updates(2));
    await remember(1, 'web-1', updates(1));
    await remember(3, 'web-1');
    await remember(1, 'web-2', updates(1));
    const known = await securityHosts.remembered(repository, ['web-1', 'web-3']);
    expect([...known.keys()]).toEqual(['web-1']);
    expect(known.get('web-1')?.toSorted((a, b) => a.part.localeCompare(b.part))).toEqual([
      { ...server, at: 2 },
      { ...updates(2), at: 2 },
    ]);
    await remember(4, 'web-1', updates(4));
    await securityHosts.keepOnly(repository, ['web-2'], 3);
    const left = await securityHosts.remembered(repository, ['web-1', 'web-2']);
    expect(left.get('web-1')).toEqual([{ ...updates(4), at: 4 }]);
    expect(left.get('web-2')).toHaveLength(1);
    expect(await securityHosts.lastUpload(repository)).toBeUndefined();
    for (const reading of [1, 3, 2]) await securityHosts.noteUpload(repository, reading);
    expect(await securityHosts.lastUpload(repository)).toBe(3);
    await securityHosts.forget(repository);
    expect(await securityHosts.lastUpload(repository)).toBeUndefined();
    expect(await securityHosts.remembered(repository, ['web-1', 'web-2'])).toEqual(new Map());
  });

  it('takes nothing back of a later security reading, which counts for an earlier one as well', async () => {
    const repository = `acme/${randomUUID()}`;
    const read = (host: string, problem: string) => ({ kind: 'unread', host, problem }) as const;
    const { securityHosts } = store();
    await securityHosts.save(repository, 1, [read('web-1', 'a')]);
    await securityHosts.save(repository, 2, [read('web-2', 'b'), read('web-3', 'b')]);
    await securityHosts.save(repository, 1, [read('web-2', 'a')]);
    await securityHosts.keepOnly(repository, ['web-1', 'web-2'], 1);
    const all = await securityHosts.of(repository, 1, LATEST);
    expect([...all].sort((a, b) => a.host.localeCompare(b.host))).toEqual([
      read('web-1', 'a'),
      read('web-2', 'b'),
      read('web-3', 'b'),
    ]);
  });
}
