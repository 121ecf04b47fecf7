import { createHash } from 'node:crypto';
import { type BatchResult, runBatch, undoBatch } from '../engine/hosts/batchRun.ts';
import { type Proof, proveAccess } from '../engine/hosts/proveAccess.ts';
import { readHost, targetOf } from '../engine/hosts/readHost.ts';
import type { HostTarget } from '../engine/hosts/target.ts';
import type { Batch, Net } from '../engine/operations/batch.ts';
import { endangersAccess } from '../engine/operations/endangersAccess.ts';
import { planHost } from '../engine/plan/planHost.ts';
import type { Payload } from '../engine/spec/configuration.ts';
import type { LabHost } from '../lab/hosts.ts';
import { labTransport, resolvedHost, type Wanted } from './hostHarness.ts';

/** A lab host as the engine changes it with confirm or revert: by an unprivileged login with sudo. */
export interface GuardedHost {
  readonly target: HostTarget;
  readonly payload: (text: string) => Payload;
  /** Plans and applies; fails where no step of the plan is guarded. */
  readonly apply: (wanted: Wanted, run: string, seconds: number) => Promise<BatchResult>;
  /** The same again, as an engine that starts anew does: it attaches. */
  readonly again: (run: string) => Promise<BatchResult>;
  readonly prove: (run: string, seconds: number) => Promise<Proof>;
  readonly undo: (run: string) => Promise<BatchResult>;
  readonly close: () => Promise<void>;
}

export function guardedHost(
  host: Pick<LabHost, 'name' | 'address' | 'port' | 'hostKeys' | 'privateKeyPath'>,
): GuardedHost {
  const transport = labTransport(host);
  const target: HostTarget = {
    ...targetOf(resolvedHost(host, {}).server),
    user: 'deploy',
    become: 'sudo',
  };
  const payloads = new Map<string, Uint8Array>();
  const batches = new Map<string, Batch>();
  const repository = 'test/infra';
  const net = (seconds: number): Net => ({ kind: 'net', confirmWithinSeconds: seconds });
  const plan = (wanted: Wanted) =>
    transport.withSession(target, async (session) => {
      const resolved = resolvedHost(host, wanted);
      const readings = await readHost(session, resolved, { repository });
      return planHost({ host: resolved, readings, payloads, repository, changedItems: undefined });
    });
  const again = (run: string) => {
    const batch = batches.get(run);
    if (batch === undefined) throw new Error(`no run ${run}`);
    return transport.withSession(target, (session) => runBatch(session, batch, { payloads }));
  };
  return {
    target,
    payload: (text) => {
      const bytes = Buffer.from(text);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      payloads.set(sha256, bytes);
      return { sha256, size: bytes.length, text: true };
    },
    apply: async (wanted, run, seconds) => {
      const { steps, findings } = await plan(wanted);
      if (!steps.some(endangersAccess))
        throw new Error(
          `no step of ${run} is guarded: ${JSON.stringify([steps.map(({ id }) => id), findings])}`,
        );
      batches.set(run, { kind: 'batch', run, repository, steps, net: net(seconds) });
      return again(run);
    },
    again,
    prove: (run, seconds) => proveAccess(transport, { target, run, net: net(seconds), probes: [] }),
    undo: (run) => transport.withSession(target, (session) => undoBatch(session, run, 'undo', {})),
    close: () => transport.close(),
  };
}
