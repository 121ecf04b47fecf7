import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { until } from '../../test/until.ts';

/** Histories that are read at the same time. */
const AT_ONCE = 16;
const SETTLE_SECONDS_MAX = 900;

interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

/** The ids of all deliveries that stand as signals in the histories of workflows, which only Temporal writes. */
export async function recordedDeliveries(client: Client): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  await each(await executions(client, ''), async ({ workflowId, runId }) => {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const event of history.events ?? []) {
      const guid = event.workflowExecutionSignaledEventAttributes?.input?.payloads?.[1];
      if (guid !== undefined && guid !== null) found.add(defaultPayloadConverter.fromPayload<string>(guid));
    }
  });
  return found;
}

/** Waits until no workflow has anything to do: no pending workflow task and no pending activity. */
export async function settled(client: Client): Promise<void> {
  let busy = -1;
  await until(
    async () => {
      busy = await busyWorkflows(client);
      return busy === 0 ? true : undefined;
    },
    'all workflows to be idle',
    SETTLE_SECONDS_MAX,
    async () => `${busy} are busy`,
  );
}

async function busyWorkflows(client: Client): Promise<number> {
  let busy = 0;
  await each(await executions(client, 'ExecutionStatus="Running"'), async (execution) => {
    const described = await client.workflowService.describeWorkflowExecution({
      namespace: client.options.namespace,
      execution,
    });
    if (described.pendingWorkflowTask || (described.pendingActivities ?? []).length > 0) busy += 1;
  });
  return busy;
}

async function executions(client: Client, query: string): Promise<readonly Execution[]> {
  const all: Execution[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query })) all.push({ workflowId, runId });
  return all;
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
