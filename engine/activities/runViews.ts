import type { Beside } from '../github/render/remarks.ts';
import type {
  ApplyView,
  HostProblem,
  HostProgress,
  HostRollback,
  MergedAs,
  PlanName,
  ProbeProgress,
  RollbackView,
  StepFailure,
  StepProgress,
  VerifyView,
} from '../github/render/views.ts';
import type { Finding, Plan, Step } from '../plan/step.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import { rolloutView } from './rolloutView.ts';
import type { RolloutProgress, RunPhase } from './types.ts';

/**
 * What a run's receipts say, as views for people. Receipts whose step id begins with `@` speak of the host as a whole:
 * `@begin` (`unknown` while a batch may run there, whoever still follows it), `@told` (what its effects did), `@apply` and `@undo`, with
 * the detail below.
 */
export interface HostReceiptDetail {
  readonly message: string;
  readonly step: string;
  /** What failed, where that is no step. */
  readonly what?: string;
  /** Last lines of what the failing step printed; untrusted text. */
  readonly output: string;
  readonly remaining: readonly string[];
  /** What effects did that no plan could name, such as restarts; of `@undo`, what a restore left or moved on purpose. */
  readonly remarks?: readonly string[];
}

/** What verify found; kept in the run's detail. */
export interface VerifyDetail {
  readonly state: 'running' | 'verified' | 'failed';
  readonly probes: readonly ProbeProgress[];
  readonly remaining: readonly { readonly host: string; readonly summary: string }[];
  /** How things are now, as the servers say. */
  readonly readBack?: readonly Finding[];
}

export interface RunDetail {
  /** What was published last of where the run is, by whichever process. */
  readonly phase?: RunPhase;
  readonly verify?: VerifyDetail;
  readonly rollout?: RolloutProgress;
  /** What its check says while it waits, whichever process wrote that. */
  readonly said?: string | undefined;
  /** How it ended, while GitHub has not been told. */
  readonly unshown?: RunPhase | undefined;
  /** Number of the pull request that takes it back. */
  readonly revert?: number;
}

export interface RunRecord {
  readonly plan: Plan;
  readonly name: PlanName;
  readonly receipts: readonly StoredReceipt[];
  readonly detail: RunDetail;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly now: number;
}

export function applyView(record: RunRecord, state: ApplyView['state'], merged?: MergedAs): ApplyView {
  const failure = stepFailure(record);
  return {
    kind: 'apply',
    state,
    name: record.name,
    hosts: hostProgress(record),
    seconds: ((state === 'applied' ? lastEffect(record) : record.now) - record.startedAt) / 1000,
    ...(failure === undefined ? {} : { failure }),
    ...(merged === undefined ? {} : { merged }),
    ...besideOf(record, state),
    ...rolloutView(record, state === 'applied'),
  };
}

/** A reading of how things are is for the check alone; one that warns is what the run did not do. */
function besideOf({ plan, receipts, detail }: RunRecord, state: ApplyView['state']): Beside {
  const remarks = toldOf(plan, receipts);
  const left = (detail.verify?.readBack ?? []).filter(({ severity }) => severity !== 'info');
  return {
    ...(remarks.length === 0 ? {} : { remarks }),
    ...(state !== 'applied' || left.length === 0
      ? {}
      : { left: left.map(({ host, message }) => ({ host, message })) }),
  };
}

/** What the effects did, in words of the hosts. */
export function toldOf(plan: Plan, receipts: readonly StoredReceipt[]): readonly HostProblem[] {
  return plan.hosts.flatMap(({ host }) => remarksOn(receipts, host).map((message) => ({ host, message })));
}

/** Epoch ms at which the last step ended. */
function lastEffect(record: RunRecord): number {
  return Math.max(record.startedAt, ...record.receipts.map((receipt) => receipt.at));
}

export function verifyView(record: RunRecord): VerifyView | undefined {
  const { verify } = record.detail;
  return verify === undefined ? undefined : { kind: 'verify', ...verify };
}

export function rollbackView(record: RunRecord, state: RollbackView['state'], reason: string): RollbackView {
  return { kind: 'rollback', state, cause: causeOf(record, reason), hosts: hostRollbacks(record) };
}

export function hostRollbacks(record: RunRecord): readonly HostRollback[] {
  return record.plan.hosts
    .filter((host) => host.steps.length > 0)
    .map((host) => hostRollback(record, host.host));
}

/** The step that failed first; undefined when a person asked or GitHub refused. */
export function stepFailure(record: RunRecord): StepFailure | undefined {
  return stepFailures(record)[0];
}

function stepFailures(record: RunRecord): readonly StepFailure[] {
  return record.receipts
    .filter((receipt) => receipt.stepId.startsWith('@apply') && receipt.state === 'failed')
    .map((receipt) => failureOf(record, receipt));
}

function failureOf(record: RunRecord, failed: StoredReceipt): StepFailure {
  const detail = failed.detail as unknown as HostReceiptDetail;
  const step = stepsOf(record.plan, failed.host).find((candidate) => candidate.id === detail.step);
  return {
    host: failed.host,
    what: step?.summary ?? detail.what ?? 'The run',
    message: detail.message,
    output: detail.output,
  };
}

/** What the reason speaks of. Failures that the budget bore are not the cause. */
function causeOf(record: RunRecord, reason: string): RollbackView['cause'] {
  const probe = probeFailure(record);
  const all = [...stepFailures(record), ...(probe === undefined ? [] : [probe])];
  const meant = all.find(({ host, message }) => reason.includes(host) && reason.includes(message));
  const borne = record.detail.rollout?.failed.length ?? 0;
  return meant ?? (borne === 0 ? all[0] : undefined) ?? { reason };
}

function probeFailure(record: RunRecord): StepFailure | undefined {
  const { verify } = record.detail;
  const probe = verify?.probes.find((candidate) => candidate.state === 'failed');
  if (probe !== undefined) {
    return {
      host: probe.host,
      what: `Probe ${probe.probe}`,
      message: probe.detail ?? 'it did not pass',
      output: '',
    };
  }
  const left = verify?.state === 'failed' ? verify.remaining[0] : undefined;
  if (left === undefined) return undefined;
  return {
    host: left.host,
    what: 'Verify',
    message: `planning again would still change: ${left.summary}`,
    output: '',
  };
}

function hostProgress(record: RunRecord): readonly HostProgress[] {
  return record.plan.hosts
    .filter((host) => host.steps.length > 0)
    .map(({ host, steps }) => ({ host, steps: steps.map((step) => stepProgress(record, step)) }));
}

function remarksOn(receipts: readonly StoredReceipt[], host: string): readonly string[] {
  return receipts.filter((receipt) => receipt.host === host).flatMap(remarksIn);
}

export function remarksIn({ stepId, detail }: StoredReceipt): readonly string[] {
  return stepId.startsWith('@told') ? ((detail as unknown as HostReceiptDetail).remarks ?? []) : [];
}

function stepProgress(record: RunRecord, step: Step): StepProgress {
  const receipt = record.receipts.find((r) => r.host === step.host && r.stepId === step.id);
  const seconds = (receipt?.detail as { readonly seconds?: number } | null | undefined)?.seconds;
  return {
    summary: step.summary,
    state: receipt === undefined ? 'waiting' : STATES[receipt.state],
    ...(seconds === undefined ? {} : { seconds }),
    ...(Object.keys(step.before).length === 0 ? { follows: true as const } : {}),
  };
}

const STATES = {
  captured: 'running',
  done: 'done',
  already: 'done',
  failed: 'failed',
  undone: 'undone',
  unknown: 'failed',
} as const satisfies Record<StoredReceipt['state'], StepProgress['state']>;

function hostRollback(record: RunRecord, host: string): HostRollback {
  const touched = record.receipts.some((receipt) => receipt.host === host && !receipt.stepId.startsWith('@'));
  const undo = record.receipts.filter(
    (receipt) => receipt.host === host && receipt.stepId.startsWith('@undo'),
  );
  const details = undo.map((receipt) => receipt.detail as unknown as HostReceiptDetail);
  const remaining = details.flatMap((detail) => detail.remaining);
  const remarks = [
    ...remarksOn(record.receipts, host).map((remark) => `before it was put back: ${remark}`),
    ...details.flatMap((detail) => detail.remarks ?? []),
  ];
  if (undo.length === 0) return { host, state: touched ? 'waiting' : 'untouched', remaining: [] };
  if (undo.some((receipt) => receipt.state !== 'undone'))
    return { host, state: 'not-restored', remaining, remarks };
  return { host, state: touched ? 'restored' : 'untouched', remaining: [], remarks };
}

function stepsOf(plan: Plan, host: string): readonly Step[] {
  return plan.hosts.find((candidate) => candidate.host === host)?.steps ?? [];
}
