import { Context } from '@temporalio/activity';
import type { ProbeProgress } from '../github/render/views.ts';
import type { HostError } from '../hosts/host-error.ts';
import { probeName, runProbe } from '../hosts/probe.ts';
import { targetOf } from '../hosts/readHost.ts';
import type { Probe } from '../kinds/kind.ts';
import type { Step } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Mask } from '../spec/secrets.ts';
import { type Assembled, assemble } from './assemble.ts';
import type { Engine } from './engine.ts';
import { probesOf } from './guarded.ts';
import { contentsIn, knownTo, sealedOn } from './hostMask.ts';
import { secretsAreThere, waitsForSecrets } from './patience.ts';
import { withContents } from './pinnedRun.ts';
import { inParallel } from './planning.ts';
import { fullName, planRevision } from './pull.ts';
import { patientTransport } from './reaching.ts';
import type { DesiredHosts } from './revisions.ts';
import { keepDetail } from './runDetail.ts';
import { resolveRun } from './runRevision.ts';
import type { RunDetail, VerifyDetail } from './runViews.ts';
import { maskFor } from './sealing.ts';
import { keepSettled } from './settling.ts';
import { progressOf } from './showRun.ts';
import { untilSteady } from './steady.ts';
import { triedFrom } from './triedFrom.ts';
import type { RunRef, VerifyOutcome, VerifyScope } from './types.ts';
import {
  answeredFor,
  failures,
  foundNow,
  isPassing,
  mayComeBack,
  outcomeOf,
  type Remaining,
  together,
} from './verified.ts';

const HOSTS_AT_ONCE = 32;

/**
 * Fresh facts, plan again, no steps; and every declared probe passes. `leftOut`: hosts that are not to be as wanted.
 * `scope`: between two batches, what was done so far. `site`: its hosts only, beside what was found before; else those
 * that the engine reaches. A host that is out of reach, such as one that reboots after a
 * change, is waited for as in apply and undo: what went wrong is thrown, for Temporal to try again. So is a vault.
 */
export async function verifyHosts(
  engine: Engine,
  run: RunRef,
  leftOut: readonly string[] = [],
  scope?: VerifyScope,
  site?: string,
): Promise<VerifyOutcome> {
  const readAt = Date.now();
  const revision = await resolveRun(engine, run);
  const reached = revision.changed.filter(({ server }) => isReached(run, server.site, site));
  const looked = lookedAt(reached, [...leftOut, ...(run.plan.skipped ?? [])], scope);
  const before = site === undefined ? NOTHING_BEFORE : await foundBefore(engine, run, looked);
  const resolved = await withContents(engine, { ...revision, changed: looked.map(({ host }) => host) });
  const patientEngine = { ...engine, transport: patientTransport(engine) };
  const { probes, away } = await probeAll(
    patientEngine,
    run,
    looked,
    await maskOf(engine, resolved),
    before,
    revision.merged.hosts,
  );
  const plannings = await planRevision(patientEngine, run.pull, resolved, run.plan.headSha);
  const made = assemble(plannings);
  const left = stepsLeft(made, looked, await onlyOf(engine, run));
  const causes = made.problems.map(({ cause }) => cause);
  const waited = waitedFor(engine, causes);
  const failed = failures(probes, made, left, waited);
  const waitFor = away ?? causes.find(waited);
  if (failed.length === 0 && waitFor !== undefined) throw waitFor;
  const found = foundNow(probes, made, left, failed);
  await keepDetail(engine, run, { verify: together(before, found) });
  // between two batches later waves are not done, and a correction is no news of what is in force
  if (failed.length === 0 && scope === undefined && run.correction === undefined)
    await keepSettled(engine, fullName(run.pull), resolved.changed, plannings, { probed: true, readAt });
  return outcomeOf(failed);
}

/** Which causes are waited for: a host that may come back, and a vault until it is given up. */
function waitedFor(engine: Engine, causes: readonly unknown[]): (cause: unknown) => boolean {
  const patient = causes.some(isPassing) && waitsForSecrets(engine);
  if (!patient) secretsAreThere();
  return (cause) => mayComeBack(cause) || (patient && isPassing(cause));
}

function isReached(run: RunRef, hosts: string, site: string | undefined): boolean {
  return site === undefined ? run.elsewhere?.includes(hosts) !== true : hosts === site;
}

const NOTHING_BEFORE: VerifyDetail = { state: 'verified', probes: [], remaining: [] };

/** What the engine, and the sites before this one, found on other hosts. */
async function foundBefore(engine: Engine, run: RunRef, looked: readonly Looked[]): Promise<VerifyDetail> {
  const detail = (await engine.store.runs.get(run.run))?.detail as RunDetail | undefined;
  const { probes, remaining, readBack = [] } = detail?.verify ?? NOTHING_BEFORE;
  const own = new Set(looked.map(({ host }) => host.name));
  const others = {
    probes: probes.filter(({ host }) => !own.has(host)),
    remaining: remaining.filter(({ host }) => !own.has(host)),
    readBack: readBack.filter(({ host }) => !own.has(host)),
  };
  const failed = others.remaining.length > 0 || others.probes.some((probe) => probe.state === 'failed');
  return { state: failed ? 'failed' : 'verified', ...others };
}

interface Looked {
  readonly host: ResolvedHost;
  /** Documents of later waves are not done yet. */
  readonly wave: number;
}

function lookedAt(
  changed: readonly ResolvedHost[],
  leftOut: readonly string[],
  scope: VerifyScope | undefined,
): readonly Looked[] {
  const waves = new Map(scope?.hosts.map(({ host, wave }) => [host, wave]));
  return changed
    .filter(({ name }) => !leftOut.includes(name) && (scope === undefined || waves.has(name)))
    .map((host) => ({ host, wave: waves.get(host.name) ?? Number.MAX_SAFE_INTEGER }));
}

function stepsLeft(
  { plan }: Assembled,
  looked: readonly Looked[],
  isMeant: (step: Step) => boolean,
): Remaining {
  const waves = new Map(looked.map(({ host, wave }) => [host.name, wave]));
  return plan.hosts.flatMap(({ host, steps }) =>
    steps
      .filter((step) => step.wave <= (waves.get(host) ?? 0) && isMeant(step))
      .map(({ summary }) => ({ host, summary })),
  );
}

async function onlyOf(engine: Engine, run: RunRef): Promise<(step: Step) => boolean> {
  const plan = await engine.store.plans.get(run.plan.digest);
  const own = plan?.hosts.flatMap(({ steps }) => steps) ?? [];
  return answeredFor(own, run.correction !== undefined);
}

/** A service that fails may print what it was configured with. */
async function maskOf({ secrets, store }: Engine, revision: DesiredHosts): Promise<Mask> {
  const known = knownTo(revision);
  const contentOf = contentsIn(known, store.blobs.get);
  const sealed = revision.changed.flatMap((host) => sealedOn(host, known));
  return maskFor(secrets.open(contentOf), sealed, contentOf);
}

async function probeAll(
  engine: Engine,
  run: RunRef,
  looked: readonly Looked[],
  mask: Mask,
  before: VerifyDetail,
  all: readonly ResolvedHost[],
): Promise<{ readonly probes: readonly ProbeProgress[]; readonly away: HostError | undefined }> {
  const board = looked.flatMap(({ host, wave }) =>
    probesOf(host, wave, run.correction?.document).map((probe) => ({
      host,
      probe,
      shown: waiting(host, probe),
    })),
  );
  const show = progressOf(engine, run);
  const publish = async (): Promise<void> => {
    const probes = [...before.probes, ...board.map((entry) => entry.shown)];
    await keepDetail(engine, run, { verify: { state: 'running', probes, remaining: before.remaining } });
    show();
  };
  if (board.length > 0) {
    await publish();
    const hosts = board.map(({ host }) => host.name);
    await untilSteady(await engine.store.plans.get(run.plan.digest), hosts);
  }
  let away: HostError | undefined;
  await inParallel(board, HOSTS_AT_ONCE, async (entry) => {
    const found = await probeOne(engine, entry.host, entry.probe, all);
    if (mayComeBack(found)) {
      away ??= found;
      entry.shown = { ...waiting(entry.host, entry.probe), detail: mask(found.message) };
    } else entry.shown = { ...found, detail: mask(found.detail ?? '') };
    await publish();
  });
  return { probes: board.map((entry) => entry.shown), away };
}

/** The error of a host that may come back is given, not thrown: the other probes are to end first. */
async function probeOne(
  engine: Engine,
  host: ResolvedHost,
  probe: Probe,
  all: readonly ResolvedHost[],
): Promise<ProbeProgress | HostError> {
  const started = Date.now();
  const from = triedFrom(host, probe, all);
  const result = await engine.transport
    .withSession(targetOf(from.server), (session) =>
      runProbe(session, probe, Context.current().cancellationSignal),
    )
    .catch((error: unknown) =>
      mayComeBack(error)
        ? error
        : { passed: false, detail: error instanceof Error ? error.message : String(error) },
    );
  if (mayComeBack(result)) return result;
  return {
    host: host.name,
    probe: probeName(probe),
    state: result.passed ? 'passed' : 'failed',
    seconds: (Date.now() - started) / 1000,
    detail: result.detail,
  };
}

function waiting(host: ResolvedHost, probe: Probe): ProbeProgress {
  return { host: host.name, probe: probeName(probe), state: 'waiting' };
}
