import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type BatchResult, runBatch, undoBatch } from '../engine/hosts/batchRun.ts';
import type { Fence } from '../engine/hosts/fence.ts';
import { readHost, targetOf } from '../engine/hosts/readHost.ts';
import type { Session, Transport } from '../engine/hosts/session.ts';
import { createTransport } from '../engine/hosts/transport.ts';
import { EMPTY } from '../engine/kinds/configuration/testing/spec.ts';
import { resolvedDocument } from '../engine/kinds/registry.ts';
import { batchPayloads } from '../engine/operations/batch.ts';
import { planHost } from '../engine/plan/planHost.ts';
import type { HostPlan } from '../engine/plan/step.ts';
import type { Payload, ResolvedConfiguration } from '../engine/spec/configuration.ts';
import type {
  PlannedKind,
  ResolvedDocument,
  ResolvedHost,
  ResolvedSpecs,
} from '../engine/spec/resolution.ts';
import type { LabHost } from '../lab/hosts.ts';

/** What a test wants of its host: a part of a Configuration, or whole documents of any kind (see `testDocument`). */
export type Wanted = Partial<ResolvedConfiguration> | readonly ResolvedDocument[];

/** Drives plan, apply and undo of one lab host as the engine does, without Temporal and GitHub. */
export interface HostHarness {
  readonly plan: (wanted: Wanted) => Promise<HostPlan>;
  /** Plans and applies; the run's name is the result's `run`. */
  readonly apply: (wanted: Wanted) => Promise<BatchResult>;
  /** `run`: its name; default one that no other has. */
  readonly applyPlan: (plan: HostPlan, fence?: Fence, run?: string) => Promise<BatchResult>;
  /** What a run that has locked the host sees before it begins. */
  readonly read: (fence: Fence) => Promise<void>;
  readonly undo: (run: string, late?: boolean, fence?: Fence) => Promise<BatchResult>;
  readonly session: <T>(use: (session: Session) => Promise<T>) => Promise<T>;
  /** What the plan's steps write, by sha256 (hex). */
  readonly contentsOf: (plan: HostPlan) => ReadonlyMap<string, Uint8Array>;
  /** Registers content and returns its reference. */
  readonly payload: (text: string) => Payload;
  readonly close: () => Promise<void>;
}

export function hostHarness(host: LabHost, repository = 'test/infra'): HostHarness {
  const payloads = new Map<string, Uint8Array>();
  const transport = labTransport(host);
  const target = targetOf(resolvedHost(host, {}).server);
  let runs = 0;
  const plan = (wanted: Wanted) =>
    transport.withSession(target, async (session) => {
      const resolved = resolvedHost(host, wanted);
      const readings = await readHost(session, resolved, { repository });
      return planHost({ host: resolved, readings, payloads, repository, changedItems: undefined });
    });
  const applyPlan = (plan: HostPlan, fence?: Fence, run?: string) =>
    transport.withSession(target, (session) => {
      runs += 1;
      const batch = {
        kind: 'batch' as const,
        run: run ?? `t-${process.pid}-${runs}`,
        repository,
        steps: plan.steps,
      };
      return runBatch(session, batch, { payloads, fence });
    });
  return {
    plan,
    applyPlan,
    apply: async (wanted) => applyPlan(await plan(wanted)),
    read: (fence) =>
      transport.withSession(target, async (session) => {
        await readHost(session, resolvedHost(host, {}), { repository }, [], fence);
      }),
    undo: (run, late = false, fence = undefined) =>
      transport.withSession(target, (session) =>
        undoBatch(session, run, late ? 'undo-late' : 'undo', { fence }),
      ),
    session: (use) => transport.withSession(target, use),
    contentsOf: ({ steps }) => {
      const batch = { kind: 'batch' as const, run: 't', repository, steps };
      return new Map(
        batchPayloads(batch).map((sha256) => [sha256, payloads.get(sha256) ?? new Uint8Array()]),
      );
    },
    payload: (text) => {
      const bytes = Buffer.from(text);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      payloads.set(sha256, bytes);
      return { sha256, size: bytes.length, text: true };
    },
    close: () => transport.close(),
  };
}

export function labTransport(host: Pick<LabHost, 'privateKeyPath'>): Transport {
  const pem = readFileSync(host.privateKeyPath);
  return createTransport({ credentials: { kind: 'credentials', keys: [{ kind: 'key-bytes', pem }] } });
}

export function resolvedHost(
  host: Pick<LabHost, 'name' | 'address' | 'port' | 'hostKeys'>,
  wanted: Wanted,
): ResolvedHost {
  const { name, address, port, hostKeys } = host;
  return {
    kind: 'resolved-host',
    name,
    server: { name, address, port, user: 'root', become: 'none', site: 'default', hostKeys, labels: {} },
    documents: isDocuments(wanted) ? wanted : [testDocument('Configuration', { ...EMPTY, ...wanted })],
  };
}

function isDocuments(wanted: Wanted): wanted is readonly ResolvedDocument[] {
  return Array.isArray(wanted);
}

/** What is wanted, and this besides. */
export function withConfiguration(wanted: Wanted, more: Partial<ResolvedConfiguration>): Wanted {
  return isDocuments(wanted)
    ? [...wanted, testDocument('Configuration', { ...EMPTY, ...more })]
    : { ...wanted, ...more };
}

/** A document with the name `test`. */
export function testDocument<K extends PlannedKind>(kind: K, spec: ResolvedSpecs[K]): ResolvedDocument {
  const position = { file: 'test.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 };
  const common = { ref: `${kind}/test`, wave: 0, onRemoval: 'restore', position } as const;
  return resolvedDocument(kind, common, spec);
}
