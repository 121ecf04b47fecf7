import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { openPostgres } from '../engine/store/postgres.ts';
import type { LabGitHub } from '../lab/github/lab-github.ts';
import { toJson } from '../scripts/history-json.ts';

/** What a world with many processes leaves behind for who asks why something was not answered. */
interface Records {
  /** Folder that is there. */
  readonly folder: string;
  readonly github: LabGitHub;
  readonly temporal: Client;
  readonly databaseUrl: string;
}

/** Writes, as JSON: GitHub's deliveries and how each was answered, the inbox, and the history of every workflow. */
export async function keepRecords({ folder, github, temporal, databaseUrl }: Records): Promise<void> {
  const keep = (name: string, what: unknown): Promise<void> =>
    writeFile(join(folder, name), JSON.stringify(what, undefined, 1));
  await keep('deliveries.json', github.webhooks.all());
  await keep('inbox.json', await inboxOf(databaseUrl));
  for await (const { workflowId, runId } of temporal.workflow.list()) {
    const history = toJson(await temporal.workflow.getHandle(workflowId, runId).fetchHistory());
    await keep(`${`${workflowId} ${runId}`.replaceAll(/[^\w.#-]/g, '_')}.history.json`, history);
  }
}

async function inboxOf(url: string): Promise<unknown> {
  const { db, close } = openPostgres(url, { connections: 1 });
  return db.selectFrom('inbox').selectAll().orderBy('seq').execute().finally(close);
}
