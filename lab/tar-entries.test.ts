import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePax, type TarEntry, tarEntries } from './tar-entries.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-tar-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function read(): Promise<Map<string, TarEntry>> {
  const tar = spawn('tar', ['-c', '--format=pax', '-C', dir, '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const entries = new Map<string, TarEntry>();
  for await (const entry of tarEntries(tar.stdout)) entries.set(entry.path, entry);
  return entries;
}

test('gives content, mode and links, also of long and odd names and of sizes around a block', async () => {
  const long = `${'d'.repeat(120)}/${'f'.repeat(200)}`;
  const odd = 'a = "b"\nc ü';
  await mkdir(join(dir, 'd'.repeat(120)));
  const contents = {
    [long]: 'x',
    [odd]: 'odd',
    empty: '',
    block: 'b'.repeat(512),
    more: 'm'.repeat(100_001),
  };
  for (const [name, text] of Object.entries(contents))
    await writeFile(join(dir, name), text, { mode: 0o640 });
  await link(join(dir, 'more'), join(dir, 'other-name'));
  await symlink(`/${'t'.repeat(150)}`, join(dir, 'link'));
  const entries = await read();
  for (const [name, text] of Object.entries(contents)) {
    const sha256 = createHash('sha256').update(text).digest('hex');
    const found = entries.get(`./${name}`);
    // Which of two names comes first is the file system's choice.
    if (found?.type !== 'hardlink') expect(found).toMatchObject({ type: 'file', mode: 0o640, sha256 });
  }
  expect(entries.get('./link')).toMatchObject({ type: 'symlink', target: `/${'t'.repeat(150)}` });
  const names = [entries.get('./more')?.type, entries.get('./other-name')?.type];
  expect(names.sort()).toEqual(['file', 'hardlink']);
});

test('a broken extended header is an error, not an endless loop', () => {
  expect(() => parsePax(Buffer.from('0 a=b\n'))).toThrow(/broken/);
  expect(() => parsePax(Buffer.from('nonsense'))).toThrow(/broken/);
  expect(parsePax(Buffer.from('14 path=./a=b\n6 k=v\n')).get('path')?.toString()).toBe('./a=b');
});
