import { rmSync } from 'node:fs';
import { openStore } from './store.ts';

/** Run by disk-full.e2e.test.ts on a small file system: fills it, frees it, and prints what the store said. */
const [file = '', ballast = ''] = process.argv.slice(2);
const WRITES_MAX = 1_000;

async function main(): Promise<void> {
  const store = await openStore({ file });
  let written = 0;
  const error = await (async () => {
    for (; written < WRITES_MAX; written += 1) {
      await store.audit.append({ who: 'a', what: `${written}`, detail: 'x'.repeat(10_000) });
    }
  })().catch((e: unknown) => e);
  const inTransaction = await store.blobs.put([new Uint8Array(200_000)]).catch((e: unknown) => e);
  rmSync(ballast);
  await store.audit.append({ who: 'a', what: 'after' });
  const kept = (await store.audit.list()).map((entry) => entry.what);
  await store.close();
  console.log(JSON.stringify({ written, error: said(error), inTransaction: said(inTransaction), kept }));
}

function said(error: unknown): { type: unknown; message: unknown } {
  if (!(error instanceof Error) || !('type' in error)) return { type: String(error), message: '' };
  return { type: error.type, message: error.message };
}

await main();
