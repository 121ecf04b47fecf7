import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLogFile } from './log-file.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-log-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('never takes more than two files of the bound, and keeps the newest lines', async () => {
  const log = openLogFile(join(dir, 'a', 'x.log'), 100);
  for (let i = 0; i < 50; i += 1) log.write(Buffer.from(`line ${i}\n`));
  log.close();
  expect((await stat(log.path)).size).toBeLessThanOrEqual(100);
  expect((await stat(`${log.path}.1`)).size).toBeLessThanOrEqual(100);
  expect(await readFile(log.path, 'utf8')).toContain('line 49');
  expect(log.tail().split('\n').at(-1)).toBe('line 49');
});

test('ignores what comes after it was closed', async () => {
  const log = openLogFile(join(dir, 'x.log'));
  log.close();
  log.write(Buffer.from('late'));
  log.close();
  expect(await readFile(log.path, 'utf8')).toBe('');
});
