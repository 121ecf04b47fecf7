import { randomUUID } from 'node:crypto';
import type { NewRun } from '../runs.ts';

export function someRun(): NewRun {
  const id = randomUUID();
  const shas = { planDigest: null, headSha: 'h', baseSha: 'b' };
  return { id, repository: `o/${id}`, pullNumber: 5, kind: 'apply', actor: 'alice', ...shas };
}

export function someReceipt(runId: string, stepId: string, hostIdentity: string = randomUUID()) {
  const hashes = { beforeHash: 'x', afterHash: null };
  return { runId, host: 'web-1', hostIdentity, stepId, state: 'captured', ...hashes, detail: {} } as const;
}
