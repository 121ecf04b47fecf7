import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINUTES, until } from '../test/until.ts';
import { TASK_QUEUE } from './activities/signalPull.ts';
import { loadConfig } from './config/config.ts';
import { createLogger } from './log.ts';
import { connectTemporal } from './temporal/client.ts';
import { ensureSchedule } from './temporal/schedules.ts';
import { startTemporal } from './temporal/server.ts';
import { type AllActivities, READINGS_AT_ONCE, type RunningWorker, startWorker } from './worker.ts';

/** More than a worker has places of any sort. */
const PLANS = 70;

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const SETTINGS = {
  GITHUB_APP_ID: '42',
  GITHUB_APP_PRIVATE_KEY: privateKey,
  GITHUB_WEBHOOK_SECRET: 'an-adequate-secret-of-length',
};
const logged: string[] = [];
const log = createLogger('warn', { write: (line) => void logged.push(line) });
const repository = { owner: 'acme', name: 'infra', installationId: 1 };

let address = '';
let client: Client;
let worker: RunningWorker;
let release: () => void = () => undefined;
const released = new Promise<void>((resolve) => {
  release = resolve;
});
const closing: (() => Promise<unknown>)[] = [];
const answers: string[] = [];
const reading = { now: 0, most: 0, all: 0 };

beforeAll(async () => {
  const temporal = await startTemporal();
  closing.push(() => temporal.stop());
  address = temporal.address;
  worker = await started({});
  client = await connected({});
}, MINUTES);
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, MINUTES);

/** What is tried is the worker: real workflows and a real Temporal, and in place of servers and GitHub who waits and who answers. */
const activities: Partial<AllActivities> = {
  planFleet: async () => {
    reading.now += 1;
    reading.all += 1;
    reading.most = Math.max(reading.most, reading.now);
    await released;
    reading.now -= 1;
    return { plan: { digest: '', hosts: 0, steps: 0, problems: [] }, total: 0, next: undefined };
  },
  acknowledge: async () => undefined,
  refusalOnIssue: async () => undefined,
  describeStatus: async () => 'nothing runs',
  answer: async (_, __, text) => void answers.push(String(text)),
};

async function started(more: Readonly<Record<string, string>>): Promise<RunningWorker> {
  const config = loadConfig({ ...SETTINGS, ...more });
  const running = await startWorker(config, address, activities as AllActivities, log);
  closing.push(running.stop);
  return running;
}

async function connected(more: Readonly<Record<string, string>>): Promise<Client> {
  const made = await connectTemporal(loadConfig({ ...SETTINGS, ...more }), address, log);
  closing.push(() => made.connection.close());
  return made;
}

const asked = (workflowId: string) => ({
  workflowId,
  taskQueue: TASK_QUEUE,
  args: [
    { repository, number: 7 },
    { command: 'status', actor: 'ann', at: new Date().toISOString(), commentId: 1, headSha: undefined },
  ],
  workflowExecutionTimeout: '30 seconds' as const,
});

test(
  'who asks is answered while more plans than can be read at once wait for their servers',
  async () => {
    const plans = await Promise.all(
      Array.from({ length: PLANS }, (_, n) =>
        client.workflow.start('planRevision', {
          workflowId: `plan-${n}`,
          taskQueue: TASK_QUEUE,
          args: [{ repository, commit: 'c' }],
        }),
      ),
    );
    try {
      await until(
        async () => (reading.now >= READINGS_AT_ONCE ? true : undefined),
        'all places to be taken',
        30,
        async () => JSON.stringify(reading),
      );
      await client.workflow.execute('issueRequest', asked('asked'));
      expect(answers).toEqual(['nothing runs']);
    } finally {
      release();
    }
    await Promise.all(plans.map((plan) => plan.result()));
    expect(reading).toEqual({ now: 0, most: READINGS_AT_ONCE, all: PLANS });
  },
  MINUTES,
);

test('what a schedule begins is ended when it does not end by itself, so that the next one begins', async () => {
  const id = 'bounded';
  await ensureSchedule(client, {
    id,
    workflowType: 'drift',
    taskQueue: TASK_QUEUE,
    args: [],
    everyMinutes: 60,
  });
  const { action } = await client.schedule.getHandle(id).describe();
  expect(action.workflowExecutionTimeout).toBe(6 * 3_600_000);
});

test(
  'with a key, what anybody put into Temporal without it is refused; what is from before the key is taken as long as that is set',
  async () => {
    const clockwork = {
      id: 'before',
      workflowType: 'drift',
      taskQueue: TASK_QUEUE,
      args: [repository],
      everyMinutes: 60,
    };
    await ensureSchedule(client, clockwork);
    await worker.stop();
    answers.length = 0;
    const key = { DOAAS_ENCRYPTION_KEY: randomBytes(32).toString('base64') };
    const strict = await started(key);
    const keyed = await connected(key);
    const plain = await client.workflow.start('issueRequest', asked('in-plain'));
    await keyed.workflow.execute('issueRequest', asked('encrypted'));
    // why, it says encrypted
    const isRefused = async () =>
      (await plain.fetchHistory()).events?.some((event) => event.workflowTaskFailedEventAttributes != null);
    await until(
      async () => ((await isRefused()) === true ? true : undefined),
      'the other one to be refused',
      20,
    );
    expect(answers).toEqual(['nothing runs']);
    expect(logged.join('')).toContain('payload-not-encrypted');
    await expect(ensureSchedule(keyed, clockwork)).rejects.toThrow('not encrypted');

    await plain.terminate();
    await strict.stop();
    await client.workflow.start('issueRequest', asked('from-before'));
    const both = { ...key, DOAAS_ENCRYPTION_ACCEPT_PLAIN: 'yes' };
    await started(both);
    await keyed.workflow.getHandle('from-before').result();
    expect(answers).toEqual(['nothing runs', 'nothing runs']);
    // from then on it is encrypted as well
    expect(await ensureSchedule(await connected(both), clockwork)).toBe(false);
    expect(await ensureSchedule(keyed, clockwork)).toBe(false);
  },
  MINUTES,
);
