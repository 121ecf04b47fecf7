import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadLocalConfig } from '../config/config.ts';
import { openStore, type Store } from '../store/store.ts';
import { CliError } from './terminal.ts';

/** Opens the engine's store as DATABASE_URL or DOAAS_DATA_DIR says; `read` works beside a running engine. */
export async function withStore<T>(mode: 'read' | 'write', use: (store: Store) => Promise<T>): Promise<T> {
  const config = loadLocalConfig(process.env);
  const url = config.databaseUrl?.reveal();
  const file = join(config.dataDir, 'store.sqlite');
  if (url === undefined && !existsSync(file)) {
    throw new CliError(
      `There is no store at ${file}. Run this where the engine runs, or set DOAAS_DATA_DIR to its data directory (or DATABASE_URL to its database).`,
    );
  }
  const store = await openStore(url === undefined ? { file } : { url }, { readOnly: mode === 'read' });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
