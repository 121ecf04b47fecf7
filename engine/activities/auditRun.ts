import { createHash } from 'node:crypto';
import type { Json } from '../operations/operation.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import type { Engine } from './engine.ts';
import type { Judged } from './gate.ts';
import { fullName } from './pull.ts';
import type { RunRef } from './types.ts';

type Detail = Readonly<Record<string, Json>>;

/** One entry of a run: who, by which event, which head and plan, on which hosts. */
export function auditRun(engine: Engine, run: RunRef, what: string, more: Detail = {}): Promise<void> {
  const { plan, pull, actor, event, context, mergeSha, correction } = run;
  const detail = {
    run: run.run,
    hosts: plan.hosts.map((host) => host.name),
    ...(event === undefined ? {} : { event: { ...event } }),
    ...(context?.override === undefined ? {} : { override: { ...context.override } }),
    ...(mergeSha === undefined ? {} : { mergedBefore: mergeSha }),
    ...(correction === undefined ? {} : { document: correction.document }),
    ...more,
  };
  return engine.store.audit.append({
    who: actor,
    what,
    repository: fullName(pull),
    pull: pull.number,
    headSha: plan.headSha,
    digest: plan.digest,
    detail,
  });
}

/** By what right the run changes the hosts. */
export function grounds({ verdict, policyCommit }: Judged): Detail {
  const { approvedBy, lifted } = verdict;
  return {
    approvedBy,
    rules: verdict.rules.map(({ name, because }) => ({ name, because })),
    ...(policyCommit === undefined ? {} : { policyCommit }),
    ...(lifted.length === 0 ? {} : { lifted }),
  };
}

/** How many steps came to which state, and a hash by which the receipts can be told from others. */
export function receiptsNamed(receipts: readonly StoredReceipt[]): Detail {
  const counts: Record<string, number> = {};
  for (const { state } of receipts) counts[state] = (counts[state] ?? 0) + 1;
  const lines = receipts.map(({ host, stepId, state }) => JSON.stringify([host, stepId, state])).sort();
  const receiptsSha256 = createHash('sha256').update(lines.join('\n')).digest('hex');
  return { receipts: counts, receiptsSha256 };
}
