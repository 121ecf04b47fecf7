import { Context } from '@temporalio/activity';
import type { ProbeProgress } from '../github/render/views.ts';
import { HostError } from '../hosts/host-error.ts';
import { runProbe } from '../hosts/probe.ts';
import { targetOf } from '../hosts/readHost.ts';
import type { Probe } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import type { Json } from '../operations/operation.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { inParallel } from './planning.ts';
import { type Assembled, assemble, planRevision } from './pull.ts';
import { patientTransport } from './reaching.ts';
import type { ResolvedRevision } from './revisions.ts';
import type { RunDetail, VerifyDetail } from './runViews.ts';
import { type Mask, maskFor, usesOn } from './sealing.ts';
import { progressOf } from './showRun.ts';
import type { RunRef, VerifyOutcome } from './types.ts';

const HOSTS_AT_ONCE = 32;

/**
 * Fresh facts, plan again, no steps; and every declared probe passes. A host that is out of reach, such as one that
 * reboots after a change, is waited for as in apply and undo: what went wrong is thrown, for Temporal to try again.
 */
export async function verifyHosts(engine: Engine, run: RunRef): Promise<VerifyOutcome> {
  const resolved = await engine.revisions.resolve(run.pull, run.plan);
  if (resolved.kind === 'conflict') throw permanent('the revision of a running plan conflicts');
  const patient = { ...engine, transport: patientTransport(engine) };
  const { probes, away } = await probeAll(patient, run, resolved.changed, await maskOf(engine, resolved));
  const made = assemble(await planRevision(patient, run.pull, resolved, run.plan.headSha));
  const verdict = judge(probes, made);
  const waitFor = away ?? made.problems.map(({ cause }) => cause).find(isAway);
  if (verdict.kind === 'verified' && waitFor !== undefined) throw waitFor;
  await keep(engine, run, { state: verdict.kind, probes, remaining: remainingOf(made) });
  return verdict;
}

/** A service that fails may print what it was configured with. */
async function maskOf(
  { secrets }: Engine,
  { changed, merged }: Extract<ResolvedRevision, { kind: 'resolved' }>,
): Promise<Mask> {
  return maskFor(
    secrets.open(async (sha256) => merged.payloads.get(sha256)),
    changed.flatMap(usesOn),
  );
}

/** Of what is known; a host that may come back speaks neither for nor against. */
function judge(probes: readonly ProbeProgress[], made: Assembled): VerifyOutcome {
  const failed = probes.find((probe) => probe.state === 'failed');
  if (failed !== undefined) {
    return {
      kind: 'failed',
      reason: `the probe ${failed.probe} failed on ${failed.host}: ${failed.detail ?? ''}`,
    };
  }
  const lost = made.problems.find(({ cause }) => !isAway(cause));
  if (lost !== undefined) return { kind: 'failed', reason: `${lost.host} cannot be read: ${lost.message}` };
  for (const { host, steps } of made.plan.hosts) {
    const left = steps[0];
    if (left !== undefined)
      return { kind: 'failed', reason: `planning again would still change ${left.summary} on ${host}` };
  }
  return { kind: 'verified' };
}

function remainingOf({ plan, problems }: Assembled): VerifyDetail['remaining'] {
  return [
    ...plan.hosts.flatMap(({ host, steps }) => steps.map(({ summary }) => ({ host, summary }))),
    ...problems.map(({ host, message }) => ({ host, summary: message })),
  ];
}

async function probeAll(
  engine: Engine,
  run: RunRef,
  hosts: readonly ResolvedHost[],
  mask: Mask,
): Promise<{ readonly probes: readonly ProbeProgress[]; readonly away: HostError | undefined }> {
  const board = hosts.flatMap((host) =>
    probesOf(host).map((probe) => ({ host, probe, shown: waiting(host, probe) })),
  );
  const show = progressOf(engine, run);
  const publish = async (): Promise<void> => {
    await keep(engine, run, { state: 'running', probes: board.map((entry) => entry.shown), remaining: [] });
    show();
  };
  if (board.length > 0) await publish();
  let away: HostError | undefined;
  await inParallel(board, HOSTS_AT_ONCE, async (entry) => {
    const found = await probeOne(engine, entry.host, entry.probe);
    if (isAway(found)) {
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
): Promise<ProbeProgress | HostError> {
  const started = Date.now();
  const result = await engine.transport
    .withSession(targetOf(host.server), (session) =>
      runProbe(session, probe, Context.current().cancellationSignal),
    )
    .catch((error: unknown) =>
      isAway(error)
        ? error
        : { passed: false, detail: error instanceof Error ? error.message : String(error) },
    );
  if (isAway(result)) return result;
  return {
    host: host.name,
    probe: nameOf(probe),
    state: result.passed ? 'passed' : 'failed',
    seconds: (Date.now() - started) / 1000,
    detail: result.detail,
  };
}

/** `patientTransport` gives up with another error. */
function isAway(error: unknown): error is HostError {
  return error instanceof HostError;
}

function probesOf(host: ResolvedHost): readonly Probe[] {
  return host.documents.flatMap((document) => kindOf(document).probes(document.spec));
}

function waiting(host: ResolvedHost, probe: Probe): ProbeProgress {
  return { host: host.name, probe: nameOf(probe), state: 'waiting' };
}

function nameOf(probe: Probe): string {
  switch (probe.kind) {
    case 'http':
      return `http ${probe.url}`;
    case 'tcp':
      return `tcp ${probe.address}:${probe.port}`;
    case 'command':
      return `command ${probe.argv.join(' ')}`;
  }
}

async function keep(engine: Engine, run: RunRef, verify: VerifyDetail): Promise<void> {
  const stored = await engine.store.runs.get(run.run);
  const detail: RunDetail = { ...(stored?.detail as RunDetail | undefined), verify };
  await engine.store.runs.update(run.run, { detail: detail as unknown as Json });
}
