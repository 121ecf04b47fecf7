import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Bounds around the bar of 50 ms for an answered webhook. Seconds. */
const WEBHOOK_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface Metrics {
  readonly registry: Registry;
  readonly webhooks: Counter<'event' | 'outcome'>;
  readonly webhookSeconds: Histogram<'outcome'>;
  readonly webhooksInFlight: Gauge;
}

/** A registry of its own, so that two engines of one process (tests) do not meet. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
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
  };
}
