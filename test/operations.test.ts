import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { createEngineMetrics, createReceiverMetrics } from '../engine/metrics.ts';
import type { Store } from '../engine/store/store.ts';
import { registerStoreMetrics } from '../engine/storeMetrics.ts';
import { anchorsOf, read } from './architecture/sources.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const { groups } = load(read('examples/prometheus/doaas.rules.yaml')) as {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);
const page = read('docs/operations.md');

/** Names of all that `/metrics` can tell, with what histograms add. */
async function metricNames(): Promise<ReadonlySet<string>> {
  const { registry: receiver } = createReceiverMetrics();
  const { registry: engine } = createEngineMetrics();
  const unread = new Proxy({}, { get: () => () => Promise.reject(new Error('not asked here')) });
  registerStoreMetrics(engine, unread as Store);
  const all = [...receiver.getMetricsAsArray(), ...engine.getMetricsAsArray()];
  return new Set(all.map(({ name }) => name));
}

const named = (text: string): readonly string[] => [
  ...new Set(text.match(/\b(?:doaas|process|nodejs)_[a-z0-9_]+\b/g) ?? []),
];

describe.each(alerts)('the alert $alert', (alert) => {
  test('asks for metrics that there are', async () => {
    const known = await metricNames();
    expect(named(alert.expr).filter((name) => !known.has(name))).toEqual([]);
    expect(alert.expr).toMatch(/doaas/);
  });

  test('says what it means, how urgent it is, and where it stands what to do', () => {
    expect(alert.annotations.summary).toMatch(/\.$/);
    expect(['page', 'ticket']).toContain(alert.labels.severity);
    const [path, anchor = ''] = alert.annotations.runbook.split('#');
    expect(path).toBe('docs/operations.md');
    expect(anchorsOf(page)).toContain(anchor);
  });
});

test('docs/operations.md names metrics that there are, and all of ours', async () => {
  const known = await metricNames();
  const told = named(page);
  expect(told.filter((name) => !known.has(name))).toEqual([]);
  expect([...known].filter((name) => name.startsWith('doaas_') && !told.includes(name))).toEqual([]);
});

test('the failures of GitHub that alerts ask for are those that there are', () => {
  const types = read('engine/github/errors.ts');
  const asked = alerts.flatMap(({ expr }) => [...expr.matchAll(/failed_total\{type="([a-z-]+)"/g)]);
  expect(asked.map(([, type = '']) => type)).toHaveLength(2);
  for (const [, type = ''] of asked) expect(types).toContain(`  | '${type}'`);
});

test('the outcomes that alerts ask for are those that webhooks have', () => {
  const outcomes = read('engine/http/webhooks.ts');
  const asked = alerts.flatMap(({ expr }) => [...expr.matchAll(/outcome=~?"([a-z|]+)"/g)]);
  const words = asked.flatMap(([, each = '']) => each.split('|'));
  expect(words.length).toBeGreaterThan(2);
  expect(words.filter((word) => !outcomes.includes(`'${word}'`))).toEqual([]);
});
