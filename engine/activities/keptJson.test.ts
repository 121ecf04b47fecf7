import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../store/store.ts';
import { keepJson, keptJson } from './keptJson.ts';

test('what is larger than a payload of the store comes back whole', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-kept-'));
  const store = await openStore({ file: join(dir, 'store.sqlite') });
  try {
    for (const [value, pieces] of [
      [{ web: ['ä', 'b'] }, 1],
      ['ä'.repeat(1024 * 1024), 3],
    ] as const) {
      const kept = await keepJson({ store }, value);
      expect(kept).toHaveLength(pieces);
      expect(await keptJson({ store }, kept)).toEqual(value);
    }
    await expect(keptJson({ store }, ['f'.repeat(64)])).rejects.toMatchObject({ type: 'permanent' });
  } finally {
    await store.close();
    await rm(dir, { recursive: true });
  }
});
