import { Counter, Gauge, type Registry } from 'prom-client';
import type { Store } from './store/store.ts';

/** What the store says of runs and servers; undefined when it does not answer. */
type Found = Awaited<ReturnType<typeof read>> | undefined;

/** Asked for at each scrape, so that they are true of all processes that share the store. */
export function registerStoreMetrics(registry: Registry, store: Store, now: () => number = Date.now): void {
  let asked: Promise<Found> | undefined;
  const once = (): Promise<Found> => {
    asked ??= read(store, now())
      .catch(() => undefined)
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
  const gauge = (name: string, help: string, pick: (found: Found) => number | undefined): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const value = pick(await once());
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  };
  gauge('doaas_store_up', '1 when the store answers, else 0', (found) => (found === undefined ? 0 : 1));
  gauge(
    'doaas_runs_running',
    'Runs that have not ended, but for held and dead ones',
    (found) => found?.running,
  );
  gauge('doaas_runs_held', 'Runs that wait for a person, and lock their servers', (found) => found?.held);
  gauge('doaas_locks_waiting', 'Runs that wait for servers which others lock', (found) => found?.waiting);
  gauge(
    'doaas_locks_longest_wait_seconds',
    'How long the first of them has waited; 0 when none does',
    (found) => found?.longestWaitSeconds,
  );
  gauge(
    'doaas_hosts_needing_recovery',
    'Servers on which a dead run left something; the next run there undoes it first',
    (found) => found?.needing,
  );
  gauge(
    'doaas_runs_unshown',
    'Runs whose end GitHub does not take now, so that their checks say something else',
    (found) => found?.unshown,
  );
  gauge(
    'doaas_sweep_age_seconds',
    'Since a worker last learned from GitHub what the App reaches',
    (found) => found?.sweptSecondsAgo,
  );
  gauge(
    'doaas_drift_hosts_unread',
    'Servers that the last reading for drift could not read, over all repositories',
    (found) => found?.unread,
  );
  gauge(
    'doaas_drift_age_seconds',
    'Since the last reading for drift of the repository that was not read for longest',
    (found) => found?.readSecondsAgo,
  );
  new Counter({
    name: 'doaas_overrides_total',
    help: 'Overrides of the policy and broken glasses in the audit log, by kind',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const found = await once();
      this.reset();
      for (const { what, entries } of found?.overrides ?? []) this.inc({ kind: what }, entries);
    },
  });
}

/** In the audit log and as a label. */
const OVERRIDES = ['override', 'break-glass'] as const;

async function read({ runs, locks, hosts, drift, audit, moments }: Store, now: number) {
  const [open, queue, needing, unshown, swept, unread, oldest, ...overrides] = await Promise.all([
    runs.openStates(),
    locks.queue(),
    hosts.needRecovery(),
    runs.unshown(),
    moments.last('swept'),
    drift.unread(),
    drift.oldestReading(),
    ...OVERRIDES.map((what) => audit.count(what)),
  ]);
  const held = open.filter(({ state }) => state === 'held').length;
  const dead = open.filter(({ state }) => state === 'needs-recovery').length;
  const since = Math.min(now, ...queue.map(({ askedAt }) => askedAt));
  return {
    running: open.length - held - dead,
    held,
    waiting: queue.length,
    longestWaitSeconds: (now - since) / 1000,
    needing: needing.length,
    unshown: unshown.length,
    sweptSecondsAgo: swept === undefined ? undefined : (now - swept) / 1000,
    unread,
    readSecondsAgo: oldest === undefined ? undefined : (now - oldest) / 1000,
    overrides: OVERRIDES.map((what, i) => ({ what, entries: overrides[i] ?? 0 })),
  };
}
