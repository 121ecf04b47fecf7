import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pathFact } from './path.ts';

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');

/** Everybody may look into it: a plan shows what nobody in particular can read. */
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'doaas-path-'));
  chmodSync(dir, 0o755);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What is read of a file that somebody writes `writes` times, each time right after it was hashed. */
function readWhileWritten(name: string, before: string, after: string, writes: number) {
  const [file, bin, left] = [join(dir, name), join(dir, `${name}.bin`), join(dir, `${name}.left`)];
  writeFileSync(file, before, { mode: 0o644 });
  writeFileSync(left, String(writes));
  execFileSync('mkdir', [bin]);
  const hash = `/usr/bin/sha256sum "$@"\nn=$(cat '${left}')\n[ "$n" = 0 ] || { printf %s "$AFTER$n" > '${file}'; echo "$((n - 1))" > '${left}'; }\n`;
  writeFileSync(join(bin, 'sha256sum'), `#!/bin/sh\n${hash}`, { mode: 0o755 });
  const query = { fact: 'path', key: file, unlessSha256: sha256Of('declared') } as const;
  const output = execFileSync('sh', ['-u'], {
    input: pathFact.read([query]).text,
    env: { PATH: `${bin}:${process.env.PATH}`, AFTER: after, LC_ALL: 'C' },
  }).toString();
  const [, ...lines] = output.trimEnd().split('\n');
  return pathFact.parse(lines, query);
}

it('shows the text of a file as it was hashed', () => {
  expect(readWhileWritten('still', 'by hand', '', 0)).toMatchObject({
    sha256: sha256Of('by hand'),
    size: 7,
    content: Buffer.from('by hand').toString('base64'),
  });
});

it('reads a file again that is written while it is read', () => {
  expect(readWhileWritten('emptied', '', 'by hand ', 1)).toMatchObject({
    sha256: sha256Of('by hand 1'),
    size: 9,
    content: Buffer.from('by hand 1').toString('base64'),
  });
});

it('reads it again once only', () => {
  const state = readWhileWritten('busy', '', 'by hand, and by hand ', 2);
  expect(state).toMatchObject({ sha256: sha256Of('by hand, and by hand 2'), size: 22 });
  expect(state).toHaveProperty('content', Buffer.from('by hand, and by hand 1').toString('base64'));
});
