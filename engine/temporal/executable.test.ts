import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedPath, findTemporal } from './executable.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-cli-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function executable(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, 0o755);
  return path;
}

test('the setting wins over PATH and cache, and is said', async () => {
  const set = await executable(join(dir, 'set/temporal'));
  await executable(join(dir, 'bin/temporal'));
  const said: string[] = [];
  const env = { DOAAS_TEMPORAL_CLI: set, PATH: join(dir, 'bin') };
  const found = await findTemporal({ env, cacheDir: dir, progress: (line) => said.push(line) });
  expect(found.path).toBe(set);
  expect(said).toEqual([`Temporal comes from the setting DOAAS_TEMPORAL_CLI (${set})`]);
});

test('a setting that is wrong is an error, not a reason to take another one', async () => {
  await executable(join(dir, 'bin/temporal'));
  const env = { DOAAS_TEMPORAL_CLI: join(dir, 'none'), PATH: join(dir, 'bin') };
  await expect(findTemporal({ env, cacheDir: dir })).rejects.toThrow(
    /DOAAS_TEMPORAL_CLI .*none.*: no executable file there/,
  );
});

test('PATH comes before the cache', async () => {
  const onPath = await executable(join(dir, 'bin/temporal'));
  const cached = await executable(cachedPath({ cacheDir: dir }));
  expect((await findTemporal({ env: { PATH: join(dir, 'bin') }, cacheDir: dir })).path).toBe(onPath);
  expect((await findTemporal({ env: { PATH: '' }, cacheDir: dir })).path).toBe(cached);
});

test('a file that cannot be executed is passed over', async () => {
  const onPath = await executable(join(dir, 'bin/temporal'));
  await chmod(onPath, 0o644);
  const cached = await executable(cachedPath({ cacheDir: dir }));
  expect((await findTemporal({ env: { PATH: join(dir, 'bin') }, cacheDir: dir })).path).toBe(cached);
});

test('the cache folder comes from the environment', () => {
  expect(cachedPath({ env: { DOAAS_CACHE_DIR: '/c' } })).toBe('/c/temporal-1.5.1/temporal');
});
