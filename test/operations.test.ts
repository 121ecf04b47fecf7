import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

describe('the commands of docs/operations.md for backups', () => {
  const blockUnder = (heading: string): string =>
    new RegExp(`^## ${heading}\n.*?^\`\`\`sh\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';
  const backUp = blockUnder('A backup');
  const restore = blockUnder('Restoring from a backup');
  const NAMED = '2026-11-27-030000';

  let root = '';
  let data = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'doaas-backup-'));
    data = join(root, 'data');
    await mkdir(data);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  /** `now`: what the machine's clock says. */
  const sh = async (script: string, now = ''): Promise<void> => {
    const stubs = `systemctl() { :; }; date() { [ "$*" = +%F-%H%M%S ] && echo ${now}; }`;
    const typed = script.replaceAll('bin/doaas audit', ': audit');
    const env = { PATH: process.env.PATH, DOAAS_DATA_DIR: data };
    await promisify(execFile)('sh', ['-c', `${stubs}\n${typed}`], { cwd: root, env });
  };
  const write = (text: string) => writeFile(join(data, 'store.sqlite'), text);
  const stored = () => readFile(join(data, 'store.sqlite'), 'utf8');

  test('keep each one whole and apart, and bring back the one that is named', async () => {
    await write('first');
    await sh(backUp, NAMED);
    await write('second');
    await sh(backUp, '2026-11-28-030000');
    await write('lost');
    expect((await readdir(root)).sort()).toEqual(['data', `data.${NAMED}`, 'data.2026-11-28-030000']);
    await sh(restore.replace(NAMED, '2026-11-28-030000'));
    expect(await stored()).toBe('second');
    await sh(restore);
    expect(await stored()).toBe('first');
    expect(await readdir(data)).toEqual(['store.sqlite']);
  });

  test('take nothing away where the named one is not there', async () => {
    await write('all there is');
    await sh(restore);
    expect(await stored()).toBe('all there is');
  });
});
