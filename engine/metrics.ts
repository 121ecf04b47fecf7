import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Bounds around the bar of 50 ms for an answered webhook. Seconds. */
const WEBHOOK_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Of the thread that answers HTTP. */
export interface ReceiverMetrics {
  readonly registry: Registry;
  readonly webhooks: Counter<'event' | 'outcome'>;
  readonly webhookSeconds: Histogram<'outcome'>;
  readonly webhooksInFlight: Gauge;
  readonly inboxWaiting: Gauge;
  readonly inboxOldestSeconds: Gauge;
}

/** Of everything else. */
export interface EngineMetrics {
  readonly registry: Registry;
  readonly handedOn: Counter<'outcome'>;
  readonly githubLimited: Counter;
  readonly githubFailed: Counter<'type'>;
}

/** A registry of its own, so that two engines of one process (tests) do not meet. */
export function createReceiverMetrics(): ReceiverMetrics {
  const registry = new Registry();
  const registers = [registry];
  busyGauge(registry);
  return {
    registry,
    webhooks: new Counter({
      name: 'doaas_webhooks_total',
      help: 'Deliveries by event and outcome',
      labelNames: ['event', 'outcome'],
      registers,
    }),
    webhookSeconds: new Histogram({
      name: 'doaas_webhook_seconds',
      help: 'From the whole request to the answer',
      labelNames: ['outcome'],
      buckets: WEBHOOK_BUCKETS,
      registers,
    }),
    webhooksInFlight: new Gauge({
      name: 'doaas_webhooks_in_flight',
      help: 'Deliveries being answered',
      registers,
    }),
    inboxWaiting: new Gauge({
      name: 'doaas_inbox_waiting',
      help: 'Deliveries that were answered and that Temporal does not have yet',
      registers,
    }),
    inboxOldestSeconds: new Gauge({
      name: 'doaas_inbox_oldest_seconds',
      help: 'Age of the oldest of them; 0 when none waits',
      registers,
    }),
  };
}

export function createEngineMetrics(): EngineMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const handedOn = new Counter({
    name: 'doaas_inbox_handed_on_total',
    help: 'Tries to hand a delivery on to Temporal, by outcome',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const githubLimited = new Counter({
    name: 'doaas_github_limited_total',
    help: 'Requests that GitHub answered with a limit of its own; they are sent again later',
    registers: [registry],
  });
  const githubFailed = new Counter({
    name: 'doaas_github_failed_total',
    help: 'Requests that GitHub did not answer or answered with an error, by type',
    labelNames: ['type'],
    registers: [registry],
  });
  return { registry, handedOn, githubLimited, githubFailed };
}

/** The default metrics are the main thread's; of this one the question is whether it still has time. */
function busyGauge(registry: Registry): void {
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'doaas_receiver_busy_ratio',
    help: 'Share of the time since the last scrape in which the thread that answers HTTP was busy',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
}
