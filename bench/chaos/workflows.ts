import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { temporalBelow } from '../processes.ts';

/** A run is one of these; each ends, held or not. */
const QUERY = "ExecutionStatus = 'Running' AND (WorkflowType = 'deployment' OR WorkflowType = 'rollback')";

/** Ids of the runs that the Temporal server of an engine still has open. */
export async function openRuns(enginePid: number): Promise<readonly string[]> {
  const connection = await Connection.connect({ address: await addressBelow(enginePid) });
  try {
    const found: string[] = [];
    for await (const { workflowId } of new Client({ connection }).workflow.list({ query: QUERY }))
      found.push(workflowId);
    return found;
  } finally {
    await connection.close();
  }
}

async function addressBelow(enginePid: number): Promise<string> {
  const pid = await temporalBelow(enginePid);
  if (pid === undefined) throw new Error('the Temporal server was not found below the engine');
  const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  return `127.0.0.1:${args[args.indexOf('--port') + 1]}`;
}
