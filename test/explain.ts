import { runPolicy } from '../engine/cli/policy.ts';
import type { World } from './world.ts';

/** What `doaas policy explain PULL` prints where the engine of the world runs; fails as it does. */
export async function explain(
  { engine, dataDir, repo }: World,
  pull: number,
  ...options: readonly string[]
): Promise<string> {
  const { store } = engine;
  const setting = 'url' in store ? 'DATABASE_URL' : 'DOAAS_DATA_DIR';
  const before = process.env[setting];
  process.env[setting] = 'url' in store ? store.url : dataDir;
  let said = '';
  const out = {
    write: (text: string) => {
      said += text;
    },
  };
  try {
    const asked = ['explain', String(pull), '--repository', `${repo.owner}/${repo.name}`, ...options];
    await runPolicy(asked, { stdout: out, stderr: out });
    return said;
  } finally {
    if (before === undefined) delete process.env[setting];
    else process.env[setting] = before;
  }
}
