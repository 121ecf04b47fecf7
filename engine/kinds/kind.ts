import type { FactQuery, ItemKey, Readings } from '../facts/fact.ts';
import type { Finding, StepDraft } from '../plan/step.ts';
import type { Payload } from '../spec/configuration.ts';
import type { Adoption } from './adoption.ts';

/**
 * A kind is a folder of pure functions; nothing here does I/O. `Spec` is the document's spec for ONE host, after
 * variables and templates are resolved and repository files are replaced by content (see spec/resolve.ts).
 */
export interface Kind<Spec> {
  readonly kind: string;
  /** Identities that the spec writes, each with the JSON pointer (below /spec) of the place that says so. */
  readonly claims: (spec: Spec) => readonly Claim[];
  /** What must be read before planning. */
  readonly needs: (spec: Spec) => readonly FactQuery[];
  /** Steps that lead from the readings to the spec, in a valid order. No difference: no steps. */
  readonly plan: (spec: Spec, readings: Readings, payloads: Payloads, seals: Seals) => KindPlan;
  /** All contents of the spec. */
  readonly contents: (spec: Spec) => readonly Payload[];
  /** What the document must say so that one of its items is as the host has it. `source`: its spec as it is written. */
  readonly adopt: (source: unknown, spec: Spec, item: ItemKey, readings: Readings) => Adoption;
  /** What must hold after the steps, beside "planning again gives no steps". */
  readonly probes: (spec: Spec) => readonly Probe[];
}

/** Contents by sha256 (hex), for diffs. */
export type Payloads = ReadonlyMap<string, Uint8Array>;

/** What a content with its secrets filled in is like, by `sealKey`. The content itself is not here. */
export type Seals = ReadonlyMap<string, Seal>;

export type Seal =
  /** Hex. `sha256` of the whole content is for comparing only and goes nowhere. */
  | { readonly kind: 'seal'; readonly sha256: string; readonly fingerprint: string }
  /** `passing`: it may be there in a moment. */
  | { readonly kind: 'unreadable'; readonly message: string; readonly passing?: boolean };

export interface Claim {
  readonly item: ItemKey;
  readonly pointer: string;
}

export interface KindPlan {
  readonly steps: readonly StepDraft[];
  readonly findings: readonly KindFinding[];
}

export type KindFinding = Pick<Finding, 'severity' | 'message'> & {
  /** Dropped when any document of the host claims this item, as one that makes the missing user does. */
  readonly unlessClaimed?: ItemKey;
};

export type Probe = HttpProbe | TcpProbe | CommandProbe;

interface ProbeTiming {
  /** Total time that the probe may take to pass, seconds. */
  readonly withinSeconds: number;
  /** Pause between two tries, seconds. */
  readonly everySeconds: number;
}

export interface HttpProbe extends ProbeTiming {
  readonly kind: 'http';
  readonly url: string;
  readonly status: number;
  readonly contains?: string;
}

export interface TcpProbe extends ProbeTiming {
  readonly kind: 'tcp';
  /** As seen from the host. */
  readonly address: string;
  readonly port: number;
}

export interface CommandProbe extends ProbeTiming {
  readonly kind: 'command';
  readonly argv: readonly string[];
  /** Runs as `nobody` unless declared. */
  readonly user: string;
  readonly exit: number;
  readonly contains?: string;
}
