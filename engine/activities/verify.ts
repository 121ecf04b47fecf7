import { Context } from '@temporalio/activity';
import type { ProbeProgress } from '../github/render/views.ts';
import { runProbe } from '../hosts/probe.ts';
import { targetOf } from '../hosts/readHost.ts';
import type { Probe } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import type { Json } from '../operations/operation.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { inParallel } from './planning.ts';
import { assemble, planRevision } from './pull.ts';
import { revisionOf } from './runRevision.ts';
import type { RunDetail, VerifyDetail } from './runViews.ts';
import { progressOf } from './showRun.ts';
import type { RunRef, VerifyOutcome } from './types.ts';

const HOSTS_AT_ONCE = 32;

/** Fresh facts, plan again, no steps; and every declared probe passes. */
export async function verifyHosts(engine: Engine, run: RunRef): Promise<VerifyOutcome> {
  const resolved = await engine.revisions.resolve(run.pull, revisionOf(run));
  if (resolved.kind === 'conflict') throw permanent('the revision of a running plan conflicts');
  const probes = await probeAll(engine, run, resolved.changed);
  const made = assemble(await planRevision(engine, run.pull, resolved, run.plan.headSha));
  const remaining = [
    ...made.plan.hosts.flatMap(({ host, steps }) => steps.map(({ summary }) => ({ host, summary }))),
    ...made.problems.map(({ host, message }) => ({ host, summary: message })),
  ];
  const failed = probes.find((probe) => probe.state === 'failed');
  const state = failed === undefined && remaining.length === 0 ? 'verified' : 'failed';
  await keep(engine, run, { state, probes, remaining });
  if (failed !== undefined) {
    return {
      kind: 'failed',
      reason: `the probe ${failed.probe} failed on ${failed.host}: ${failed.detail ?? ''}`,
    };
  }
  const left = remaining[0];
  if (left === undefined) return { kind: 'verified' };
  return { kind: 'failed', reason: `planning again would still change ${left.summary} on ${left.host}` };
}

async function probeAll(
  engine: Engine,
  run: RunRef,
  hosts: readonly ResolvedHost[],
): Promise<readonly ProbeProgress[]> {
  const board = hosts.flatMap((host) =>
    probesOf(host).map((probe) => ({ host, probe, shown: waiting(host, probe) })),
  );
  const show = progressOf(engine, run);
  const publish = async (): Promise<void> => {
    await keep(engine, run, { state: 'running', probes: board.map((entry) => entry.shown), remaining: [] });
    show();
  };
  if (board.length > 0) await publish();
  await inParallel(board, HOSTS_AT_ONCE, async (entry) => {
    entry.shown = await probeOne(engine, entry.host, entry.probe);
    await publish();
  });
  return board.map((entry) => entry.shown);
}

async function probeOne(engine: Engine, host: ResolvedHost, probe: Probe): Promise<ProbeProgress> {
  const started = Date.now();
  const result = await engine.transport
    .withSession(targetOf(host.server), (session) =>
      runProbe(session, probe, Context.current().cancellationSignal),
    )
    .catch((error: unknown) => ({
      passed: false,
      detail: error instanceof Error ? error.message : String(error),
    }));
  return {
    host: host.name,
    probe: nameOf(probe),
    state: result.passed ? 'passed' : 'failed',
    seconds: (Date.now() - started) / 1000,
    detail: result.detail,
  };
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
