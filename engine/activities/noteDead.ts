import type { Store } from '../store/store.ts';

/**
 * Its workflow has ended without it. So it waits for nobody, and does nothing more; what it did is undone by the next run on its hosts.
 * The next sweep shows it.
 */
export async function noteDead({ runs }: Pick<Store, 'runs'>, run: string): Promise<void> {
  const state = (await runs.get(run))?.state;
  if (state === 'queued' || state === 'running') await runs.update(run, { state: 'needs-recovery' });
}
