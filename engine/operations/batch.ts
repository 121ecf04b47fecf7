import { readFileSync } from 'node:fs';
import { type ItemKey, splitItemKey } from '../facts/fact.ts';
import { FENCES, HOST_STATE_DIR, itemDir, recordLine } from '../facts/owned.ts';
import { facts } from '../facts/registry.ts';
import { observe } from '../facts/script.ts';
import type { Step } from '../plan/step.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import { custodyOf } from './custodies.ts';
import type { Operation, Params, SavedItem } from './operation.ts';
import { operationNamed } from './registry.ts';

/** Upper bound of one effect unless its operation says otherwise. Seconds. */
const STEP_TIMEOUT_SECONDS = 300;

/** How long a run's undo data stays on the host after its last use. Days. */
export const RUN_RETENTION_DAYS = 30;

/** The same for a run of which the host does not know that it is over, such as of an engine that never came back. Days. */
export const OPEN_RUN_RETENTION_DAYS = 365;

/** The steps of one run on one host, in order, as the host runs them. */
export interface Batch {
  readonly kind: 'batch';
  /** Unique name of this run on this host; also the name of its systemd units. */
  readonly run: string;
  readonly repository: string;
  readonly steps: readonly Step[];
  /** The host takes the run back by itself unless it is confirmed. Left out: it does not. */
  readonly net?: Net;
}

/** Confirm or revert. */
export interface Net {
  readonly kind: 'net';
  /** From the end of the last step. At least 1. */
  readonly confirmWithinSeconds: number;
}

/** Everything that a run leaves on its host. */
export function runDir(run: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,90}$/.test(run)) throw new Error(`not a run name: ${run}`);
  return `${HOST_STATE_DIR}/runs/${run}`;
}

/** sha256 (hex) of the payloads that the batch reads. */
export function batchPayloads(batch: Batch): readonly string[] {
  return [
    ...new Set(batch.steps.flatMap((step) => operationNamed(step.operation).payloads?.(step.params) ?? [])),
  ];
}

const NET: Sh = { kind: 'sh', text: readFileSync(new URL('./net.sh', import.meta.url), 'utf8') };
const RUNNER: Sh = { kind: 'sh', text: readFileSync(new URL('./runner.sh', import.meta.url), 'utf8') };

/** Facts whose restore may need packages, the network or anything else that is not there while a host boots. */
const NOT_EARLY: readonly string[] = ['package', 'apt-repository', 'script'];

/**
 * The whole batch as one POSIX sh script. It is kept on the host, so that a run can be finished or undone from there
 * even when the engine is gone: `sh /var/lib/doaas/runs/RUN/batch.sh undo`.
 */
export function batchScript(batch: Batch): Sh {
  const header = sh`RUN=${batch.run}
DIR=${runDir(batch.run)}
ITEMS=${`${HOST_STATE_DIR}/items`}
FENCES=${FENCES}
KEEP_DAYS=${RUN_RETENTION_DAYS}
KEEP_OPEN_DAYS=${OPEN_RUN_RETENTION_DAYS}
NET_SECONDS=${batch.net?.confirmWithinSeconds ?? 0}
STEPS=${batch.steps.map((_, n) => n + 1).join(' ')}`;
  return lines(
    sh`#!/bin/sh`,
    header,
    ...libraries(batch),
    ...batch.steps.map((step, n) => stepFunctions(batch, step, n + 1)),
    NET,
    RUNNER,
  );
}

function libraries(batch: Batch): readonly Sh[] {
  const all = batch.steps.flatMap((step) => {
    const operation = operationNamed(step.operation);
    const custodies = operation.items(step.params).map((item) => custodyOf(splitItemKey(item).fact));
    return [operation, ...custodies].flatMap((part) => part.library?.text ?? []);
  });
  return [...new Set(all)].map((text) => ({ kind: 'sh', text }));
}

function stepFunctions(batch: Batch, step: Step, n: number): Sh {
  const operation = operationNamed(step.operation);
  const items = operation.items(step.params);
  return lines(
    define(`meta_${n}`, metaOf(operation, step, items)),
    define(`check_${n}`, operation.check(step.params)),
    define(`apply_${n}`, operation.apply(step.params)),
    define(`after_${n}`, lines(settleAll(items, n), operation.afterRestore?.(step.params) ?? sh`:`)),
    define(`restore_${n}`, restoreAll(items, n)),
    define(`early_${n}`, restoreAll(items, n, NOT_EARLY)),
    ...items.flatMap((item, i) => itemFunctions(batch, step, item, n, i + 1)),
  );
}

function metaOf(operation: Operation<Params>, step: Step, items: readonly ItemKey[]): Sh {
  return sh`ID=${step.id}; COUNT=${items.length}; LIMIT=${operation.timeoutSeconds ?? STEP_TIMEOUT_SECONDS}; IMPLICIT=${operation.changesOtherItems === true ? 'yes' : 'no'}`;
}

function itemFunctions(batch: Batch, step: Step, item: ItemKey, n: number, i: number): readonly Sh[] {
  const { fact, key } = splitItemKey(item);
  const record = recordLine({
    item,
    origin: step.absent.includes(item) ? 'created' : 'adopted',
    repository: batch.repository,
    document: step.document,
    onRemoval: step.onRemoval,
  });
  const { ownsNothing } = operationNamed(step.operation);
  const released = step.operation === 'item.release' || step.operation === 'item.forget';
  const owns = released || ownsNothing === true ? '' : record;
  return [
    define(
      `item_${n}_${i}`,
      sh`ITEM=${itemDir(item)}; BEFORE=${step.before[item] ?? ''}; RECORD=${owns}; FREE=${ownsNothing === true ? 'yes' : 'no'}; NAME=${item}`,
    ),
    define(`observe_${n}_${i}`, observe(facts, { fact, key })),
    define(`capture_${n}_${i}`, custodyOf(fact).capture(key, saved(n, i))),
  ];
}

/**
 * Items of one fact are restored together, so that packages need one call of apt. Each group on its own: what cannot be put back of one
 * leaves the others to be, and the whole fails after them.
 */
function restoreAll(items: readonly ItemKey[], n: number, leftOut: readonly string[] = []): Sh {
  const groups = savedByFact(items, n).filter(([fact]) => !leftOut.includes(fact));
  return lines(
    sh`left=0`,
    ...groups.map(([fact, group]) => apart(custodyOf(fact).restore(group))),
    sh`return $left`,
  );
}

/** Left of `||` the shell would ignore `set -e` in it. */
function apart(body: Sh): Sh {
  return {
    kind: 'sh',
    text: `set +e; (\nset -e\n${body.text}\n); [ "$?" -eq 0 ] || left=1; set -e`,
  };
}

function settleAll(items: readonly ItemKey[], n: number): Sh {
  return lines(
    sh`:`,
    ...savedByFact(items, n).flatMap(([fact, group]) => custodyOf(fact).settle?.(group) ?? []),
  );
}

function savedByFact(items: readonly ItemKey[], n: number): readonly [string, readonly SavedItem[]][] {
  const byFact = new Map<string, SavedItem[]>();
  items.forEach((item, i) => {
    const { fact, key } = splitItemKey(item);
    byFact.set(fact, [...(byFact.get(fact) ?? []), { key, save: saved(n, i + 1) }]);
  });
  return [...byFact];
}

function saved(n: number, i: number): Sh {
  return { kind: 'sh', text: `"$DIR"/steps/${n}/${i}/saved` };
}

function define(name: string, body: Sh): Sh {
  return { kind: 'sh', text: `${name}() {\n${body.text}\n}` };
}
