import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { BUNDLE } from '../engine/worker.ts';
import { bundle } from '../scripts/bundle.ts';
import { type HistoryJson, workflowTypeOf } from '../scripts/history-files.ts';
import { fromJson } from '../scripts/history-json.ts';
import { bundled, otherEngine, withoutGuards } from '../test/otherEngine.ts';
import * as workflows from './all.ts';

/** Recorded by scripts/record-histories.ts from real runs. */
const HISTORIES = fileURLToPath(new URL('./histories', import.meta.url));

interface Recorded {
  readonly file: string;
  readonly workflowId: string;
  readonly history: HistoryJson;
}

const files = (await readdir(HISTORIES).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
const recorded = await Promise.all(files.map(load));

async function load(file: string): Promise<Recorded> {
  return { file, ...(JSON.parse(await readFile(join(HISTORIES, file), 'utf8')) as Omit<Recorded, 'file'>) };
}

/** Workflows that are running when the engine is updated must come to the same decisions with the new code. */
describe('recorded histories', () => {
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
    await bundle();
  });

  test.each(Object.keys(workflows))('there is one of %s', (type) => {
    const message = `record one of ${type}: DOAAS_RECORD_HISTORIES=1 npx vitest run test/e2e/story`;
    expect(
      recorded.filter(({ history }) => workflowTypeOf(history) === type).length,
      message,
    ).toBeGreaterThan(0);
  });

  test('are replayed to the same end', { timeout: 60_000 }, async () => {
    const workflowBundle = { codePath: BUNDLE };
    const results = Worker.runReplayHistories(
      { workflowBundle, replayName: 'recorded' },
      recorded.map(({ file, history }) => ({ workflowId: file, history: fromJson(history) })),
    );
    const wrong: string[] = [];
    let replayed = 0;
    for await (const { workflowId, error } of results) {
      replayed += 1;
      if (error !== undefined) wrong.push(`${workflowId}: ${error.message}`);
    }
    expect(wrong).toEqual([]);
    expect(replayed).toBe(recorded.length);
  });

  test('a change that nobody guarded with `patched` is noticed', { timeout: 120_000 }, async () => {
    const careless = await otherEngine(withoutGuards);
    try {
      const workflowBundle = { codePath: await bundled(careless) };
      const results = Worker.runReplayHistories(
        { workflowBundle, replayName: 'careless' },
        recorded.map(({ file, history }) => ({ workflowId: file, history: fromJson(history) })),
      );
      const wrong: string[] = [];
      for await (const { error } of results) if (error !== undefined) wrong.push(error.name);
      expect(wrong).toContain('DeterminismViolationError');
    } finally {
      await careless.remove();
    }
  });

  test('a history that the code would not have made is noticed', { timeout: 60_000 }, async () => {
    const sample = recorded.find(({ history }) => JSON.stringify(history).includes('"startRun"'));
    if (sample === undefined) throw new Error('no history with a run is recorded');
    const altered = JSON.parse(
      JSON.stringify(sample.history).replaceAll('"startRun"', '"startSomethingElse"'),
    );
    const replay = Worker.runReplayHistory(
      { workflowBundle: { codePath: BUNDLE } },
      fromJson(altered),
      sample.workflowId,
    );
    await expect(replay).rejects.toThrow(/Nondeterminism|startSomethingElse/i);
  });
});
