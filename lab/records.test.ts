import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readHosts, writeHost } from './records.ts';

test('hosts are listed as they came, also where a later one got an address that had become free', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-lab-records-'));
  const settings = { stateDir: dir, cacheDir: dir };
  const host = { lab: 'l', base: 'bare', baseDir: dir, hostKeys: [] } as const;
  try {
    await writeHost(settings, { ...host, name: 'alpha', order: 1, index: 2 });
    await writeHost(settings, { ...host, name: 'host-1', order: 0, index: 9 });
    expect((await readHosts(settings, 'l')).map(({ name }) => name)).toEqual(['host-1', 'alpha']);
  } finally {
    await rm(dir, { recursive: true });
  }
});
