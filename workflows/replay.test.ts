import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { BUNDLE } from '../engine/worker.ts';
import { bundle } from '../scripts/bundle.ts';
import { type HistoryJson, namesIn, workflowTypeOf } from '../scripts/history-files.ts';
import { fromJson } from '../scripts/history-json.ts';
import { flipped, guardsIn } from '../test/otherEngine.ts';
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

const shown = new Set(recorded.flatMap(({ history }) => [...namesIn(history)]));

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const sources = (await readdir(FOLDER)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
const CODE = (await Promise.all(sources.map((name) => readFile(join(FOLDER, name), 'utf8')))).join('\n');

/** A call of a proxy of workflows/activities.ts. */
const CALL =
  /\b(?:short|bounded|passing|reading|reporting|publishing|verifying|onHost|undoOnHost|stopOnHost|((?:reading|reporting|onHost|undoOnHost)At)\([\w.]+\))\.(\w+)\(/g;
/** What no history shows yet, and why it is little. */
const UNRECORDED: Readonly<Record<string, string>> = {};

const GUARDS = [...new Set(guardsIn(CODE))].filter((name) => !(`guard ${name}` in UNRECORDED));

/** A run that looks at its servers after it has changed the first. */
const LOOKS_AGAIN = 'deployment-390db234.json';

/** As if the second look had failed for good, up to what came next: the beginning of the rollback is shown. */
function withoutLook({ events }: HistoryJson): HistoryJson {
  const looks = events.filter((event) => JSON.stringify(event).includes('"name":"silentHosts"'));
  const scheduled = Number(looks[1]?.eventId);
  const failure = { message: 'gone', applicationFailureInfo: { type: 'permanent', nonRetryable: true } };
  const shape = { scheduledEventId: scheduled, startedEventId: scheduled + 1, failure };
  return {
    events: events.slice(0, scheduled + 10).map((event) => {
      const after = Number(event.eventId) - scheduled;
      if (after === 2) {
        const { eventId, eventTime } = event;
        const eventType = 'EVENT_TYPE_ACTIVITY_TASK_FAILED';
        return { eventId, eventTime, eventType, activityTaskFailedEventAttributes: shape };
      }
      return after === 6 ? JSON.parse(JSON.stringify(event).replace('"windowNow"', '"showRun"')) : event;
    }),
  };
}

const RECORD = 'record it as scripts/record-histories.ts says';

type WorkflowBundle = { readonly codePath: string } | { readonly code: string };

interface Wrong {
  readonly workflowId: string;
  readonly error: Error;
}

async function replayed(
  workflowBundle: WorkflowBundle,
  histories: readonly Recorded[],
): Promise<readonly Wrong[]> {
  const results = Worker.runReplayHistories(
    { workflowBundle, replayName: 'recorded' },
    histories.map(({ file, history }) => ({ workflowId: file, history: fromJson(history) })),
  );
  const wrong: Wrong[] = [];
  let count = 0;
  for await (const { workflowId, error } of results) {
    count += 1;
    if (error !== undefined) wrong.push({ workflowId, error });
  }
  expect(count).toBe(histories.length);
  return wrong;
}

/** Workflows that are running when the engine is updated must come to the same decisions with the new code. */
describe('recorded histories', () => {
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
    await bundle();
  });

  test.each(Object.keys(workflows))('there is one of %s', (type) => {
    expect(
      recorded.map(({ history }) => workflowTypeOf(history)),
      RECORD,
    ).toContain(type);
  });

  test('are replayed to the same end', { timeout: 60_000 }, async () => {
    const wrong = await replayed({ codePath: BUNDLE }, recorded);
    expect(wrong.map(({ workflowId, error }) => `${workflowId}: ${error.message}`)).toEqual([]);
  });

  test.each(GUARDS)('the code behind the guard %s is in one', (guard) => {
    expect(shown, RECORD).toContain(`guard ${guard}`);
  });

  // the marker stays, so that only what was done tells the two ways apart
  test.each(GUARDS)('%s: the other way is noticed', { timeout: 60_000 }, async (guard) => {
    const code = flipped(await readFile(BUNDLE, 'utf8'), guard);
    const behind = recorded.filter(({ history }) => namesIn(history).has(`guard ${guard}`));
    const wrong = await replayed({ code }, behind);
    expect(
      wrong.map(({ error }) => error.name),
      RECORD,
    ).toContain('DeterminismViolationError');
  });

  test('every activity that workflows call is in one, also where workers of a site do it', () => {
    const called = [...CODE.matchAll(CALL)].map(
      ([, at, name]) => `activity ${name}${at === undefined ? '' : ' at a site'}`,
    );
    expect(called.length).toBeGreaterThan(40);
    expect(
      [...new Set(called)].filter((name) => !shown.has(name) && !(name in UNRECORDED)),
      RECORD,
    ).toEqual([]);
  });

  test('every signal is in one', () => {
    const signals = [...CODE.matchAll(/defineSignal\b[^(]*\('(\w+)'/g)].map(([, name]) => `signal ${name}`);
    expect(signals.length).toBeGreaterThan(4);
    expect(
      signals.filter((name) => !shown.has(name) && !(name in UNRECORDED)),
      RECORD,
    ).toEqual([]);
  });

  test('one was begun anew', () => {
    expect(shown, RECORD).toContain('begun anew');
  });

  test('what is excused for not being in one, is not', () => {
    expect(Object.keys(UNRECORDED).filter((name) => shown.has(name))).toEqual([]);
  });

  test('a look at the servers that cannot be made in the middle of a run rolls it back', async () => {
    const before = recorded.find(({ file }) => file === LOOKS_AGAIN);
    if (before === undefined) throw new Error(`${LOOKS_AGAIN} is gone`);
    const wrong = await replayed({ codePath: BUNDLE }, [{ ...before, history: withoutLook(before.history) }]);
    expect(wrong.map(({ error }) => error.message)).toEqual([]);
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
