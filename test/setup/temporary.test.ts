import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { removeDead } from './temporary.ts';

test('this run has a folder of its own, in which everybody may write', async () => {
  expect(tmpdir()).toMatch(/\/doaas-tests-\d+-\w+$/);
  expect((await stat(tmpdir())).mode & 0o7777).toBe(0o1777);
  expect(await readdir(dirname(tmpdir()))).toContain(tmpdir().split('/').at(-1));
});

test('folders of runs that were killed are removed, those of running ones and of others are not', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'doaas-parent-'));
  try {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const names = [`doaas-tests-${gone}-abc`, `doaas-tests-${process.pid}-abc`, 'doaas-world-abc', 'mine'];
    for (const name of names) {
      await mkdir(join(parent, name));
      await writeFile(join(parent, name, 'file'), '');
    }
    expect(await removeDead(parent)).toEqual([names[0]]);
    expect((await readdir(parent)).sort()).toEqual(names.slice(1).sort());
  } finally {
    await rm(parent, { recursive: true });
  }
});
