import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** A mount namespace of its own: the small file system is gone with the process, however it ends. */
const SCRIPT =
  'mount -t tmpfs -o size=4m tmpfs "$1" && head -c 1048576 /dev/zero >"$1/ballast" && exec node --import tsx "$2" "$1/doaas.db" "$1/ballast"';

const able = process.platform === 'linux' && userInfo().uid === 0;
if (!able && process.env.CI === 'true') throw new Error('the full disk needs Linux and root.');

it.skipIf(!able)(
  'a full disk is named, loses nothing that was stored, and the store goes on when there is room',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'doaas-full-'));
    try {
      const fixture = join(import.meta.dirname, 'disk-full.fixture.ts');
      const out = execFileSync('unshare', ['-m', 'sh', '-c', SCRIPT, 'sh', dir, fixture], {
        encoding: 'utf8',
      });
      const said = JSON.parse(out);
      expect(said.error).toEqual({ type: 'store-full', message: expect.stringContaining('make room there') });
      expect(said.inTransaction.type).toBe('store-full');
      expect(said.kept).toEqual([...Array.from({ length: said.written }, (_, i) => `${i}`), 'after']);
    } finally {
      rmdirSync(dir);
    }
  },
  30_000,
);
