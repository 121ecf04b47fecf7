import type { PlanRef, PullRef, PullSnapshot, Request } from '../engine/activities/types.ts';
import type { PullEvent } from './messages.ts';

/** The run that changes hosts for a pull request. */
export interface Running {
  readonly run: string;
  readonly workflowId: string;
  readonly request: Request;
  readonly plan: PlanRef;
  /** How often the same plan was started, because the base moved while it waited. */
  readonly attempt: number;
}

/** What survives a continue-as-new. */
export interface PullState {
  readonly snapshot: PullSnapshot | undefined;
  readonly plan: PlanRef | undefined;
  /** The plan that was shown last, though it may be superseded: an equal one keeps its approvals. */
  readonly shown: PlanRef | undefined;
  /** The run that changes hosts for this pull request now, and the workflow that carries it. */
  readonly running: Running | undefined;
  /** Somebody wants the running change taken back; should it be applied before it can stop, the merged one is. */
  readonly unwanted: Request | undefined;
  /** Comments, and deliveries of buttons, that were acted upon; what comes twice does nothing the second time. */
  readonly answered: readonly (number | string)[];
}

export interface PullInput {
  readonly pull: PullRef;
  readonly state?: PullState;
  readonly inbox?: readonly PullEvent[];
}

export const FRESH: PullState = Object.freeze({
  snapshot: undefined,
  plan: undefined,
  shown: undefined,
  running: undefined,
  unwanted: undefined,
  answered: [],
});

/** Hints to look again; one look answers all that came before it. */
export function saysTheSame(a: PullEvent, b: PullEvent): boolean {
  return a.kind === b.kind && a.kind !== 'asked' && a.kind !== 'misspelt';
}

export function isOver({ snapshot, running }: PullState): boolean {
  return running === undefined && snapshot !== undefined && snapshot.state !== 'open';
}

/** Bound of remembered comments and presses; GitHub redelivers within three days. */
const ANSWERED_MAX = 500;

export function remembering(state: PullState, id: number | string): PullState {
  return { ...state, answered: [...state.answered, id].slice(-ANSWERED_MAX) };
}

/** A plan that is the same again after the base has moved goes on by itself this often. */
export const ATTEMPTS_MAX = 10;
