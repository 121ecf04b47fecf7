import { parentPort, workerData } from 'node:worker_threads';
import { secret } from '../config/secret.ts';
import { createServer } from '../http/server.ts';
import { laneOf } from '../inbox/lane.ts';
import { watchInbox } from '../inbox/watch.ts';
import { createLogger } from '../log.ts';
import { createReceiverMetrics } from '../metrics.ts';
import { openInbox } from '../store/inbox.ts';
import { callsOver } from './calls.ts';
import type { MainFunctions, ReceiverFunctions, ReceiverOrder } from './order.ts';

/** The thread that answers HTTP: whatever the engine does, it waits only for its own inbox. */
async function main(order: ReceiverOrder): Promise<void> {
  if (parentPort === null) throw new Error('this file is a thread of the engine; npm start starts it');
  const port = parentPort;
  const log = createLogger(order.logLevel);
  const metrics = createReceiverMetrics();
  const inbox = await openInbox(order.inbox);
  const watched = watchInbox(inbox, metrics);
  const main = callsOver<MainFunctions, ReceiverFunctions>(port, {
    claim: inbox.claim,
    handedOn: inbox.handedOn,
    postpone: inbox.postpone,
    prune: inbox.prune,
    close: async () => {
      await server.close();
      watched.stop();
      await inbox.close();
    },
  });
  const checks = order.parts.map((part) => [part, () => main.call('check', part)] as const);
  const server = await createServer({
    log,
    metrics,
    otherMetrics: () => main.call('metrics'),
    secrets: order.secrets.map(secret),
    appId: order.appId,
    accept: async (event, guid) => {
      const taken = await watched.accept({ guid, lane: laneOf(event), event: JSON.stringify(event) });
      if (taken === 'new') void main.call('arrived');
      return taken;
    },
    concurrency: order.concurrency,
    bodyLimitBytes: order.bodyLimitBytes,
    ...(order.plans
      ? { plans: { text: (digest: string) => main.call('planText', digest), now: Date.now } }
      : {}),
    readiness: { inbox: watched.check, ...Object.fromEntries(checks) },
  });
  await main.call('listening', await server.listen({ host: order.host, port: order.port }));
}

void main(workerData as ReceiverOrder);
