import type { Json } from '../operations/operation.ts';
import type { AuditEntry } from '../store/audit.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import { receiptsDigest } from '../store/receiptsDigest.ts';
import type { Judged } from './gate.ts';
import { fullName } from './pull.ts';
import { remarksIn } from './runViews.ts';
import type { RunRef } from './types.ts';

type Detail = Readonly<Record<string, Json>>;

/**
 * One entry of a run: who, by which event, which head and plan, on which hosts. The same once only, however often it is
 * tried. `turn`: tells apart what a run does more than once.
 */
export function entryOf(run: RunRef, what: string, more: Detail = {}, turn?: string): AuditEntry {
  const { plan, pull, actor, event, context, mergeSha, correction, undoes } = run;
  const detail = {
    run: run.run,
    hosts: plan.hosts.map((host) => host.name),
    ...(event === undefined ? {} : { event: { ...event } }),
    ...(context?.override === undefined ? {} : { override: { ...context.override } }),
    ...(mergeSha === undefined ? {} : { mergedBefore: mergeSha }),
    ...(correction === undefined ? {} : { document: correction.document }),
    ...(undoes === undefined ? {} : { of: undoes }),
    ...more,
  };
  return {
    who: actor,
    what,
    repository: fullName(pull),
    pull: pull.number,
    headSha: plan.headSha,
    digest: plan.digest,
    detail,
    key: [run.run, what, ...(turn === undefined ? [] : [turn])].join(' '),
  };
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

/** How many steps came to which state, and a hash of all that the receipts say: `doaas audit --verify` computes it again. */
export function receiptsNamed(receipts: readonly StoredReceipt[]): Detail {
  const counts: Record<string, number> = {};
  for (const { state, stepId } of receipts)
    if (!/^@(begin|told)/.test(stepId)) counts[state] = (counts[state] ?? 0) + 1;
  return { receipts: counts, receiptsDigest: receiptsDigest(receipts) };
}

/** Sentences that an entry keeps of a run; more are counted. It is never deleted. */
const TOLD_MAX = 40;
/** Characters of each. */
const SENTENCE_MAX = 500;

/** What the effects did that no plan could name, such as restarts: in words of the servers. */
export function toldIn(receipts: readonly StoredReceipt[]): Detail {
  const all = receipts.flatMap((receipt) =>
    remarksIn(receipt).map((remark) => `${receipt.host}: ${remark}`.slice(0, SENTENCE_MAX)),
  );
  if (all.length === 0) return {};
  const more = all.length - TOLD_MAX;
  return { told: [...all.slice(0, TOLD_MAX), ...(more > 0 ? [`and ${more} more`] : [])] };
}
