import type { Logger } from './log.ts';
import type { Store } from './store/store.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Plans and their contents stay this long after their last use; hosts keep undo data for 30 days. */
export const PLANS_KEPT_DAYS = 90;

/** Who pushed is remembered for so long; of older branches GitHub is asked. */
export const PUSHES_KEPT_DAYS = 90;

/** How often old plans and contents are looked for. */
const EVERY_MS = DAY_MS;

interface Housed {
  readonly plans: Pick<Store['plans'], 'prune'>;
  readonly blobs: Pick<Store['blobs'], 'prune'>;
  readonly runHosts: Pick<Store['runHosts'], 'prune'>;
  readonly audit: Pick<Store['audit'], 'head'>;
  readonly pushes: Pick<Store['pushes'], 'prune'>;
}

/** Removes what is old from the store and says where the audit log stands, now and once a day; returns what ends it. */
export function keepHouse(store: Housed, log: Logger): () => void {
  const clean = async (): Promise<void> => {
    log.info({ head: await store.audit.head() }, 'the audit log up to here: doaas audit --verify --expect');
    const before = Date.now() - PLANS_KEPT_DAYS * DAY_MS;
    const plans = await store.plans.prune(before);
    await store.runHosts.prune(before);
    const contents = await store.blobs.prune(before);
    const pushes = await store.pushes.prune(Date.now() - PUSHES_KEPT_DAYS * DAY_MS);
    if (pushes > 0) log.info({ pushes }, 'forgot old pushes');
    if (plans + contents > 0) log.info({ plans, contents }, 'removed old plans from the store');
  };
  const tryToClean = (): void => {
    clean().catch((error: unknown) => log.warn({ err: error }, 'what is old could not be removed'));
  };
  tryToClean();
  const timer = setInterval(tryToClean, EVERY_MS).unref();
  return () => clearInterval(timer);
}
