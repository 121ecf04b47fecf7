import { Context } from '@temporalio/activity';
import { type BatchEvent, BatchNotStartedError, type BatchResult, runBatch } from '../hosts/batchRun.ts';
import { type Fence, FencedError } from '../hosts/fence.ts';
import { targetOf } from '../hosts/readHost.ts';
import type { Session } from '../hosts/session.ts';
import type { HostTarget } from '../hosts/target.ts';
import type { Probe } from '../kinds/kind.ts';
import type { Batch } from '../operations/batch.ts';
import { endangersAccess } from '../operations/endangersAccess.ts';
import type { Json } from '../operations/operation.ts';
import type { Step } from '../plan/step.ts';
import { SecretError } from '../secrets/error.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { ReceiptState } from '../store/receipts.ts';
import { batchName } from './batchName.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { netFor, notKept, ownProbes } from './guarded.ts';
import { followSteps, remarksOf } from './hostJournal.ts';
import { contentsIn, type Known, knownOn, knownTo, sealedOn } from './hostMask.ts';
import { identityOf } from './identity.ts';
import { secretsAreThere, waitsForSecrets } from './patience.ts';
import { fullName } from './pull.ts';
import { HostSilentError, reaching } from './reaching.ts';
import { resolveRun } from './runRevision.ts';
import type { HostReceiptDetail } from './runViews.ts';
import { maskFor } from './sealing.ts';
import { progressOf } from './showRun.ts';
import type { HostOutcome, RunRef } from './types.ts';
import { maskResult, revealBefore, unpack } from './unsealedBatch.ts';

export interface RunHost {
  readonly target: HostTarget;
  readonly identity: string;
  /** As the plan's revision has it. */
  readonly resolved: ResolvedHost;
  /** What the run knows of the secrets that are there, and nothing else of the repository. */
  readonly known: Known;
}

/** Where the run's plan has the host. */
export async function hostOf(engine: Engine, run: RunRef, host: string): Promise<RunHost> {
  const revision = await resolveRun(engine, run, host);
  const resolved = revision.merged.hosts.find(({ name }) => name === host);
  if (resolved === undefined) throw permanent(`the host ${host} is not in the plan's revision`);
  const { server } = resolved;
  const known = knownOn(resolved, knownTo(revision));
  return { target: targetOf(server), identity: identityOf(server), resolved, known };
}

/** Runs one wave's steps on one host; called again, it attaches to what runs there or reads the result. */
export async function applyHost(
  engine: Engine,
  run: RunRef,
  host: string,
  wave: number,
): Promise<HostOutcome> {
  const { target, identity, resolved, known } = await hostOf(engine, run, host);
  const probes = ownProbes(resolved, wave, run.correction?.document);
  const batch = await batchOf(engine, run, host, wave, probes);
  const contentOf = contentsIn(known, engine.store.blobs.get);
  const unsealing = engine.secrets.open(contentOf);
  const unpacked = await unpack(engine.store.blobs.get, batch, unsealing);
  if (unpacked.kind === 'refused' && unpacked.passing && waitsForSecrets(engine))
    throw new SecretError(unpacked.message, { passing: true });
  secretsAreThere();
  if (unpacked.kind === 'refused') return failed(engine, run, host, identity, wave, unpacked.message);
  const { payloads } = unpacked;
  const mask = await maskFor(unsealing, sealedOn(resolved, known), contentOf);
  const journal = await journalOf(engine, run, host, identity);
  const signal = Context.current().cancellationSignal;
  const result = await underLock(engine, run.run, { target, identity }, async (session) => {
    const revealed = await revealBefore(session, unpacked.batch, unsealing);
    await receipt(engine, run, host, identity, `@begin:${wave}`, 'unknown', nothing);
    // read after that: whoever takes the lock away later finds that something may have begun, long before the first step says so
    const fence = await fenceHeld(engine, run.run, { target, identity });
    return runBatch(session, revealed, { payloads, onEvent: journal.note, signal, fence });
  })
    .catch(gaveUp)
    .finally(journal.flush);
  if (result.kind === 'gave-up') return failed(engine, run, host, identity, wave, mask(result.message));
  await receipt(engine, run, host, identity, `@begin:${wave}`, 'done', nothing);
  await tellRemarks(engine, run, host, identity, wave, remarksOf(result, mask));
  if (batch.net !== undefined && result.end !== 'refused') {
    // a run that came to no good end may be kept all the same, so it is confirmed as well where the login works
    const must = result.end === 'applied' ? probes : [];
    const access = { target, run: batch.run, net: batch.net, probes: must };
    const reason = await notKept(engine.transport, access, signal);
    if (reason !== undefined && result.end !== 'failed')
      return failed(engine, run, host, identity, wave, mask(reason.message), reason.what);
  }
  return outcomeOf(engine, run, host, identity, wave, maskResult(result, mask));
}

/** They stay when the steps are undone. `already`: nothing to undo comes with them. */
async function tellRemarks(
  engine: Engine,
  run: RunRef,
  host: string,
  identity: string,
  wave: number,
  remarks: readonly string[],
): Promise<void> {
  if (remarks.length === 0) return;
  await receipt(engine, run, host, identity, `@told:${wave}`, 'already', { ...nothing, remarks });
}

async function failed(
  engine: Engine,
  run: RunRef,
  host: string,
  identity: string,
  wave: number,
  message: string,
  what?: string,
): Promise<HostOutcome> {
  const detail = { ...nothing, message, ...(what === undefined ? {} : { what }) };
  await receipt(engine, run, host, identity, `@apply:${wave}`, 'failed', detail);
  return { kind: 'failed', reason: message };
}

type LockedHost = Pick<RunHost, 'target' | 'identity'>;

/** The host is shown the number of its lock, so that it can refuse whoever comes late. */
export async function underLock<T>(
  engine: Engine,
  holder: string,
  host: LockedHost,
  use: (session: Session, fence: Fence) => Promise<T>,
): Promise<T> {
  await fenceHeld(engine, holder, host);
  // once more when the host is reached, which may take long
  return reaching(engine, host.target, async (session) =>
    use(session, await fenceHeld(engine, holder, host)),
  );
}

async function fenceHeld(
  { store }: Engine,
  holder: string,
  { target, identity }: LockedHost,
): Promise<Fence> {
  const fence = await store.locks.fenceOf(holder, identity);
  if (fence !== undefined) return fence;
  throw new FencedError(
    `the run ${holder} does not hold ${target.name} any more: its lock was taken away, so nothing more is done there`,
  );
}

export interface GaveUp {
  readonly kind: 'gave-up';
  readonly message: string;
}

export function gaveUp(error: unknown): GaveUp {
  if (
    error instanceof HostSilentError ||
    error instanceof BatchNotStartedError ||
    error instanceof FencedError
  )
    return { kind: 'gave-up', message: error.message };
  throw error;
}

export const nothing: HostReceiptDetail = { message: '', step: '', output: '', remaining: [] };

async function stepsOn(engine: Engine, run: RunRef, host: string): Promise<readonly Step[]> {
  const plan = await engine.store.plans.get(run.plan.digest);
  if (plan === undefined) throw permanent(`the plan ${run.plan.digest.slice(0, 8)} is not in the store`);
  return plan.hosts.find((candidate) => candidate.host === host)?.steps ?? [];
}

/** `probes`: what must hold before the host is told to keep a batch that could shut people out. */
export async function batchOf(
  engine: Engine,
  run: RunRef,
  host: string,
  wave: number,
  probes: readonly Probe[] = [],
): Promise<Batch> {
  const all = await stepsOn(engine, run, host);
  const steps = all.filter((step) => step.wave === wave);
  const batch: Batch = {
    kind: 'batch',
    run: batchName(run.run, wave),
    repository: fullName(run.pull),
    steps,
  };
  return steps.some(endangersAccess)
    ? { ...batch, net: netFor(probes, engine.config.confirmSeconds) }
    : batch;
}

async function outcomeOf(
  engine: Engine,
  run: RunRef,
  host: string,
  identity: string,
  wave: number,
  result: BatchResult,
): Promise<HostOutcome> {
  if (result.end === 'applied') return { kind: 'applied' };
  if (result.end === 'cancelled') return { kind: 'cancelled' };
  const failed = result.events.findLast((event) => event.event === 'failed' || event.event === 'unexpected');
  const message =
    failed?.event === 'unexpected'
      ? `${failed.detail} is neither as planned nor as wanted: somebody changed it since the plan`
      : (failed?.detail ?? `the run ended as ${result.end}`);
  const detail = { ...nothing, message, step: failed?.step ?? '', output: result.output };
  await receipt(engine, run, host, identity, `@apply:${wave}`, 'failed', detail);
  return { kind: 'failed', reason: `${failed?.step ?? 'the run'} failed on ${host}: ${message}` };
}

/**
 * Writes the host's journal to the store as it comes, in order. `flush` throws when a receipt could not be stored: the
 * next try of the activity reads the whole journal again, so none is lost.
 */
export async function journalOf(engine: Engine, run: RunRef, host: string, identity: string) {
  const follow = followSteps((await stepsOn(engine, run, host)).map(({ id }) => id));
  let last: Promise<void> = Promise.resolve();
  let lost: unknown;
  const show = progressOf(engine, run);
  const note = (event: BatchEvent): void => {
    const change = follow(event);
    if (change === undefined) return;
    const { step, state, seconds } = change;
    last = last
      .then(() => receipt(engine, run, host, identity, step, state, { seconds }))
      .then(show)
      .catch((error: unknown) => {
        lost ??= error;
      });
  };
  const flush = async (): Promise<void> => {
    await last;
    if (lost !== undefined) throw lost;
  };
  return { note, flush };
}

export async function receipt(
  engine: Engine,
  run: RunRef,
  host: string,
  hostIdentity: string,
  stepId: string,
  state: ReceiptState,
  detail: HostReceiptDetail | { readonly seconds: number },
): Promise<void> {
  await engine.store.receipts.save([
    {
      runId: run.run,
      host,
      hostIdentity,
      stepId,
      state,
      beforeHash: null,
      afterHash: null,
      detail: detail as unknown as Json,
    },
  ]);
}
