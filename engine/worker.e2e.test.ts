import { generateKeyPairSync } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINUTES, until } from '../test/until.ts';
import { TASK_QUEUE } from './activities/signalPull.ts';
import { loadConfig } from './config/config.ts';
import { createLogger } from './log.ts';
import { startTemporal } from './temporal/server.ts';
import { type AllActivities, READINGS_AT_ONCE, startWorker } from './worker.ts';

/** More than a worker has places of any sort. */
const PLANS = 70;

let client: Client;
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
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const config = loadConfig({
    GITHUB_APP_ID: '42',
    GITHUB_APP_PRIVATE_KEY: privateKey,
    GITHUB_WEBHOOK_SECRET: 'an-adequate-secret-of-length',
  });
  // what is tried is the worker: real workflows and a real Temporal, and in place of servers and GitHub who waits and who answers
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
  const log = createLogger('warn');
  const worker = await startWorker(config, temporal.address, activities as AllActivities, log);
  closing.push(worker.stop);
  const connection = await Connection.connect({ address: temporal.address });
  closing.push(() => connection.close());
  client = new Client({ connection });
}, MINUTES);
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, MINUTES);

test(
  'who asks is answered while more plans than can be read at once wait for their servers',
  async () => {
    const repository = { owner: 'acme', name: 'infra', installationId: 1 };
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
      await client.workflow.execute('issueRequest', {
        workflowId: 'asked',
        taskQueue: TASK_QUEUE,
        args: [
          { repository, number: 7 },
          { command: 'status', actor: 'ann', at: new Date().toISOString(), commentId: 1, headSha: undefined },
        ],
        workflowExecutionTimeout: '30 seconds',
      });
      expect(answers).toEqual(['nothing runs']);
    } finally {
      release();
    }
    await Promise.all(plans.map((plan) => plan.result()));
    expect(reading).toEqual({ now: 0, most: READINGS_AT_ONCE, all: PLANS });
  },
  MINUTES,
);
