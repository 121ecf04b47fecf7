import { Context } from '@temporalio/activity';
import type { ProbeProgress } from '../github/render/views.ts';
import { HostError } from '../hosts/host-error.ts';
import { runProbe } from '../hosts/probe.ts';
import { targetOf } from '../hosts/readHost.ts';
import type { Probe } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import { sh } from '../shell/sh.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { inParallel } from './planning.ts';
import { type Assembled, assemble, planRevision } from './pull.ts';
import { HostSilentError, reaching } from './reaching.ts';
import type { ResolvedRevision } from './revisions.ts';
import { keepDetail } from './runDetail.ts';
import { progressOf } from './showRun.ts';
import type { RunRef, VerifyOutcome, VerifyScope } from './types.ts';

const HOSTS_AT_ONCE = 32;

type Resolved = Extract<ResolvedRevision, { kind: 'resolved' }>;

/**
 * Fresh facts, plan again, no steps; and every declared probe passes. `leftOut`: hosts that are not to be as wanted.
 * `scope`: between two batches, what was done so far.
 */
export async function verifyHosts(
  engine: Engine,
  run: RunRef,
  leftOut: readonly string[] = [],
  scope?: VerifyScope,
): Promise<VerifyOutcome> {
  const revision = await engine.revisions.resolve(run.pull, run.plan);
  if (revision.kind === 'conflict') throw permanent('the revision of a running plan conflicts');
  const looked = lookedAt(revision.changed, [...leftOut, ...(run.plan.skipped ?? [])], scope);
  const resolved = { ...revision, changed: looked.map(({ host }) => host) };
  const probes = await probeAll(engine, run, looked);
  const made = await planAgain(engine, run, resolved);
  const waves = new Map(looked.map(({ host, wave }) => [host.name, wave]));
  const remaining = [
    ...made.plan.hosts.flatMap(({ host, steps }) =>
      steps
        .filter(({ wave }) => wave <= (waves.get(host) ?? 0))
        .map(({ summary }) => ({
          host,
          summary,
          reason: `planning again would still change ${summary} on ${host}`,
        })),
    ),
    ...made.problems.map(({ host, message }) => ({ host, summary: message, reason: message })),
  ];
  const failed = [
    ...probes
      .filter((probe) => probe.state === 'failed')
      .map(({ host, probe, detail = '' }) => ({
        host,
        reason: `the probe ${probe} failed on ${host}: ${detail}`,
      })),
    ...remaining.map(({ host, reason }) => ({ host, reason })),
  ];
  const [first] = failed;
  await keepDetail(engine, run, {
    verify: {
      state: first === undefined ? 'verified' : 'failed',
      probes,
      remaining: remaining.map(({ host, summary }) => ({ host, summary })),
    },
  });
  if (first === undefined) return { kind: 'verified' };
  const hosts = failed.filter(({ host }, i) => failed.findIndex((other) => other.host === host) === i);
  return { kind: 'failed', reason: first.reason, hosts };
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

/**
 * A host that is away, such as while it reboots, is no failure yet: the error to reach it is thrown, and Temporal tries again
 * until the host was silent for too long.
 */
async function planAgain(engine: Engine, run: RunRef, resolved: Resolved): Promise<Assembled> {
  const plan = async () => assemble(await planRevision(engine, run.pull, resolved, run.plan.headSha));
  const made = await plan();
  const away = resolved.changed.filter(({ name }) => made.problems.some(({ host }) => host === name));
  if (away.length === 0) return made;
  const back = await inParallel(away, HOSTS_AT_ONCE, (host) => answers(engine, host));
  return back.every((each) => each) ? plan() : made;
}

/** False when the host was silent for too long. Throws HostError while it may still come back. */
async function answers(engine: Engine, host: ResolvedHost): Promise<boolean> {
  try {
    await reaching(engine, targetOf(host.server), (session) => session.run(sh`:`, { timeoutSeconds: 30 }));
    return true;
  } catch (error) {
    if (error instanceof HostSilentError) return false;
    throw error;
  }
}

async function probeAll(
  engine: Engine,
  run: RunRef,
  looked: readonly Looked[],
): Promise<readonly ProbeProgress[]> {
  const board = looked.flatMap(({ host, wave }) =>
    probesOf(host, wave).map((probe) => ({ host, probe, shown: waiting(host, probe) })),
  );
  const show = progressOf(engine, run);
  const publish = async (): Promise<void> => {
    const shown = board.map((entry) => entry.shown);
    await keepDetail(engine, run, { verify: { state: 'running', probes: shown, remaining: [] } });
    show();
  };
  if (board.length > 0) await publish();
  const away: unknown[] = [];
  await inParallel(board, HOSTS_AT_ONCE, async (entry) => {
    try {
      entry.shown = await probeOne(engine, entry.host, entry.probe);
    } catch (error) {
      away.push(error);
    }
    await publish();
  });
  if (away.length > 0) throw away[0];
  return board.map((entry) => entry.shown);
}

/** Throws HostError while the host may still come back. */
async function probeOne(engine: Engine, host: ResolvedHost, probe: Probe): Promise<ProbeProgress> {
  const started = Date.now();
  const { cancellationSignal } = Context.current();
  const result = await reaching(engine, targetOf(host.server), (session) =>
    runProbe(session, probe, cancellationSignal),
  ).catch((error: unknown) => {
    if (error instanceof HostError && error.type !== 'cancelled') throw error;
    return { passed: false, detail: error instanceof Error ? error.message : String(error) };
  });
  return {
    host: host.name,
    probe: nameOf(probe),
    state: result.passed ? 'passed' : 'failed',
    seconds: (Date.now() - started) / 1000,
    detail: result.detail,
  };
}

function probesOf(host: ResolvedHost, wave: number): readonly Probe[] {
  return host.documents
    .filter((document) => document.wave <= wave)
    .flatMap((document) => kindOf(document).probes(document.spec));
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
