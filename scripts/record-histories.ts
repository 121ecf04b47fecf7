/**
 * Saves histories of ended workflows to workflows/histories/, each shape once, for workflows/replay.test.ts: all of them with
 * `sh scripts/record-all.sh`, which says which tests show what; those of one file with
 * `DOAAS_RECORD_HISTORIES=1 npx vitest run test/e2e/story`, or of a running engine
 * `tsx scripts/record-histories.ts HOST:PORT [NAMESPACE]`. What was recorded before stays. Delete a history only when no engine
 * in use has run workflows of that age.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import {
  fileName,
  type HistoryJson,
  namesIn,
  payloadTexts,
  scrubbed,
  workflowTypeOf,
} from './history-files.ts';
import { toJson } from './history-json.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
export const HISTORIES = join(ROOT, 'workflows', 'histories');

/** Shapes kept of one workflow type, beside those that show what none of them does; more would only slow the tests. */
const SHAPES_MAX = 20;
/** A history of thousands of events proves no more than one of hundreds. */
const EVENTS_MAX = 600;
/** Workflows looked at in one go. */
const WORKFLOWS_MAX = 2_000;

/** Returns the names of new files. */
export async function recordHistories(
  client: Client,
  folder: string = HISTORIES,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const known = new Set(await readdir(folder));
  const added: string[] = [];
  let seen = 0;
  for await (const execution of client.workflow.list({ query: 'ExecutionStatus != "Running"' })) {
    if (++seen > WORKFLOWS_MAX) break;
    const handle = client.workflow.getHandle(execution.workflowId, execution.runId);
    const history = scrubbed(toJson(await handle.fetchHistory()));
    const type = workflowTypeOf(history);
    const name = fileName(type, history);
    if (known.has(name) || unfit(history)) continue;
    const ofType = [...known].filter((file) => file.startsWith(`${type}-`));
    if (ofType.length >= SHAPES_MAX && !(await showsNew(history, folder, ofType))) continue;
    const kept = { workflowId: execution.workflowId, history };
    await writeFile(join(folder, name), `${JSON.stringify(kept)}\n`);
    known.add(name);
    added.push(name);
  }
  return added;
}

async function showsNew(history: HistoryJson, folder: string, others: readonly string[]): Promise<boolean> {
  const shown = new Set<string>();
  for (const file of others) {
    const other = JSON.parse(await readFile(join(folder, file), 'utf8')) as { readonly history: HistoryJson };
    for (const name of namesIn(other.history)) shown.add(name);
  }
  return [...namesIn(history)].some((name) => !shown.has(name));
}

/** Encrypted payloads cannot be replayed without the key; a path of this machine is nobody's business. */
function unfit(history: HistoryJson): boolean {
  if (history.events.length > EVENTS_MAX) return true;
  return payloadTexts(history).some((text) => text === 'binary/encrypted' || text.includes(ROOT));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [address, namespace = 'default'] = process.argv.slice(2);
  if (address === undefined) {
    console.error(
      'Give the address of a Temporal server, HOST:PORT, and a namespace if it is not "default".',
    );
    process.exit(2);
  }
  const connection = await Connection.connect({ address });
  try {
    const added = await recordHistories(new Client({ connection, namespace }));
    console.log(added.length === 0 ? 'no new shape of history' : added.join('\n'));
  } finally {
    await connection.close();
  }
}
