import { getPull } from '../github/pulls.ts';
import { type BatchResult, undoBatch } from '../hosts/batchRun.ts';
import { targetOf } from '../hosts/readHost.ts';
import { RUN_RETENTION_DAYS } from '../operations/batch.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Mask } from '../spec/secrets.ts';
import { batchName } from './batchName.ts';
import type { Engine } from './engine.ts';
import { remainsOf, remarksOf } from './hostJournal.ts';
import { contentsIn, type Known, sealedOn } from './hostMask.ts';
import {
  batchOf,
  type GaveUp,
  gaveUp,
  hostOf,
  journalOf,
  nothing,
  type RunHost,
  receipt,
  underLock,
} from './hostRun.ts';
import { maskFor, withhold } from './sealing.ts';
import { serverNow } from './serverNow.ts';
import { elsewhere } from './sites.ts';
import type { RunRef, UndoOutcome } from './types.ts';

/**
 * Takes back the waves of a run on a host, in the order given. `holder`: the run that has locked the host for it; `since`:
 * what may have come to the host after the run.
 */
export async function undoHost(
  engine: Engine,
  run: RunRef,
  host: string,
  waves: readonly number[],
  late: boolean,
  holder = run.run,
  since: Known | 'unknown' = [],
): Promise<UndoOutcome> {
  const then = await hostOf(engine, run, host);
  const { identity, resolved, known } = then;
  const later = late ? await branchNow(engine, run) : since;
  const target = late ? targetNow(engine, then, later) : then.target;
  if (typeof target === 'string') return { kind: 'refused', reason: `${host}: ${target}` };
  const mask = later === 'unknown' ? withhold : await maskOf(engine, resolved, [...known, ...later]);
  const all: string[] = [];
  for (const wave of waves) {
    const name = batchName(run.run, wave);
    const journal = await journalOf(engine, run, host, identity);
    const mode = late ? 'undo-late' : 'undo';
    const result = await underLock(engine, holder, { target, identity }, (session, fence) =>
      undoBatch(session, name, mode, { onEvent: journal.note, fence }),
    )
      .catch(gaveUp)
      .finally(journal.flush);
    const remaining = result.kind === 'gave-up' ? [mask(result.message)] : remainsOf(result, mask);
    if (late && (await isGone(engine, run, host, wave, result)))
      return { kind: 'refused', reason: `${host}: ${GONE}` };
    const remarks = result.kind === 'gave-up' ? [] : remarksOf(result, mask);
    all.push(...remarks.map((remark) => `${host}: ${remark}`));
    const end = result.kind === 'gave-up' ? 'held' : result.end;
    const done = end === 'rolled-back';
    if (done) await receipt(engine, run, host, identity, `@begin:${wave}`, 'undone', nothing);
    await receipt(engine, run, host, identity, `@undo:${wave}`, done ? 'undone' : 'unknown', {
      ...nothing,
      remaining,
      remarks,
    });
    if (!done)
      return {
        kind: end === 'refused' ? 'refused' : 'held',
        reason: `${host}: ${remaining.join('; ')}`,
      };
  }
  return all.length === 0 ? { kind: 'rolled-back' } : { kind: 'rolled-back', remarks: all };
}

const GONE = `what was there before is gone: servers keep it for ${RUN_RETENTION_DAYS} days`;

const ANOTHER =
  'its Server document has another host key by now, so it is another machine, and what was there before is gone';
const ELSEWHERE = 'its Server document has another site by now, whose servers are not reached from here';

/** The branch may have moved the host since the run. In words: why it is not reached at all. */
function targetNow({ config }: Engine, { target, resolved }: RunHost, now: Known | 'unknown') {
  if (now === 'unknown') return target;
  const server = serverNow(
    resolved.server,
    now.flatMap(({ hosts }) => hosts),
  );
  if (server === undefined) return ANOTHER;
  return elsewhere(config.sites, [server.site]).length > 0 ? ELSEWHERE : targetOf(server);
}

/** Whether the host was changed and does not know any more what was there before. */
async function isGone(
  engine: Engine,
  run: RunRef,
  host: string,
  wave: number,
  result: BatchResult | GaveUp,
): Promise<boolean> {
  if (result.kind === 'gave-up' || !result.events.some(({ event }) => event === 'gone')) return false;
  const ids = new Set((await batchOf(engine, run, host, wave)).steps.map(({ id }) => id));
  const receipts = await engine.store.receipts.ofRun(run.run);
  return receipts.some((each) => each.host === host && each.state === 'done' && ids.has(each.stepId));
}

/** Of what the host says while a run is taken back. */
function maskOf({ secrets, store }: Engine, host: ResolvedHost, known: Known): Promise<Mask> {
  const contentOf = contentsIn(known, store.blobs.get);
  return maskFor(secrets.open(contentOf), sealedOn(host, known), contentOf);
}

/** What was merged since has brought secrets that the run's own revision does not know, and may have moved its servers. */
async function branchNow({ github, revisions, log }: Engine, { pull }: RunRef): Promise<Known | 'unknown'> {
  const { repository, number } = pull;
  try {
    const client = await github.installationClient(repository.installationId);
    const { baseSha } = await getPull(client, repository, number);
    return [(await revisions.resolveCommit(repository, baseSha)).resolution];
  } catch (error) {
    log.warn(
      { error: String(error) },
      'the tip of the branch could not be read, so what an undo says is withheld',
    );
    return 'unknown';
  }
}
