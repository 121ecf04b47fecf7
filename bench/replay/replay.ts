import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { pullWorkflowId } from '../../engine/github/workflowIds.ts';
import { BUNDLE } from '../../engine/worker.ts';
import { bundle } from '../../scripts/bundle.ts';
import { fromJson, toJson } from '../../scripts/history-json.ts';
import { until } from '../../test/until.ts';
import { serverYaml, startWorld } from '../../test/world.ts';
import { configuration } from '../../test/yaml.ts';
import { median, rounded } from '../measure.ts';
import { progress, type Result } from '../report.ts';

const EVENTS = 2000;
const AT_ONCE = 100;
const TIMES = 5;
/** As V8 has it where nothing says otherwise; workflows/traces.ts says two. */
const FRAMES_OF_OLD = 10;
/** For code of a workflow, which is not cut off on a busy machine either. */
const UNCUT = '10 minutes';

/**
 * What it costs a worker to bring back a pull request's workflow that it does not keep in memory: a real history of so many events,
 * replayed with the frames that errors keep now and with ten. Processor time of this process, so that other work counts less.
 */
export async function replay(argv: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...argv],
    options: { events: { type: 'string', default: String(EVENTS) } },
  });
  await bundle();
  const history = await recorded(Number(values.events));
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const code = await readFile(BUNDLE, 'utf8');
  const old = code.replace(/Error\.stackTraceLimit = \d+/, `Error.stackTraceLimit = ${FRAMES_OF_OLD}`);
  if (old === code) throw new Error('the bundle does not say how many frames errors keep');
  // by turns, as a machine changes
  const now: number[] = [];
  const before: number[] = [];
  for (let n = 1; n <= TIMES; n += 1) {
    progress(`replay ${n} of ${TIMES}`);
    now.push(await cpuOf(code, history));
    before.push(await cpuOf(old, history));
  }
  const [a, b] = [rounded(median(now)), rounded(median(before))];
  const events = history.events.length;
  return {
    rows: [
      { what: 'events', value: events },
      { what: 'replayed, processor time, median of 5', value: a, unit: 's' },
      { what: `the same with ${FRAMES_OF_OLD} frames of each stack`, value: b, unit: 's' },
    ],
    json: { events, seconds: a, seconds_with_ten_frames: b },
  };
}

type Recorded = ReturnType<typeof toJson>;

/** Of a pull request that is told the same again and again. */
async function recorded(events: number): Promise<Recorded> {
  const world = await startWorld({ files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }), progress });
  try {
    const files = { '/etc/motd': { content: 'hello\n' } };
    const { pull, sha } = await world.open('motd', { 'motd.yaml': configuration('motd', { files }) });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    const repository = { ...world.repo, installationId: world.github.installationId };
    const { workflow } = world.engine.temporal();
    const handle = workflow.getHandle(pullWorkflowId({ repository, number: pull }));
    progress(`${events} events for it`);
    for (let sent = 0; sent < events; sent += AT_ONCE)
      await Promise.all(
        Array.from({ length: AT_ONCE }, () => handle.signal('pullEvent', { kind: 'reviewed' })),
      );
    await until(
      async () => (await handle.query('pullStatus')) !== undefined || undefined,
      'it to answer',
      120,
    );
    return toJson(await handle.fetchHistory());
  } finally {
    await world.close();
  }
}

/** Seconds. */
async function cpuOf(code: string, history: Recorded): Promise<number> {
  const from = process.cpuUsage();
  const options = { workflowBundle: { code }, isolateExecutionTimeout: UNCUT };
  await Worker.runReplayHistory(options, fromJson(history), 'pull-request');
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}
