import type { ItemKey } from '../facts/fact.ts';
import type { Disruption, Params, Reversible } from '../operations/operation.ts';
import type { Position } from '../spec/manifest.ts';
import type { PlanRollout } from './rollout.ts';

/** Why a step is there, beside "the pull request asks for it". */
export type StepReason = 'change' | 'adoption' | 'drift' | 'removal' | 'release';

/** One effect on one host. Frozen data. `id` is unique in the host's plan and stable for the same item. */
export interface Step {
  readonly kind: 'step';
  readonly id: string;
  readonly operation: string;
  readonly host: string;
  readonly params: Params;
  /** Ids of steps on the same host that must be done before this one. */
  readonly dependsOn: readonly string[];
  readonly reversible: Reversible;
  readonly disruption: Disruption;
  readonly reason: StepReason;
  /** Every host finishes wave 0 before any starts wave 1; from `dependsOn` between documents. */
  readonly wave: number;
  /** `Configuration/web`: the document that asks for it; for removals the one that asked last. */
  readonly document: string;
  /** One line for people, without secrets: `nginx.conf +2 -1`. Not part of the digest. */
  readonly summary: string;
  /** Unified diff or a few lines `- old` / `+ new`. Not part of the digest. */
  readonly diff: string;
  /** What becomes of the items when they leave the YAML. */
  readonly onRemoval: 'restore' | 'keep';
  /** Touched items that are not on the host yet. */
  readonly absent: readonly ItemKey[];
  /** sha256 of each touched item's raw state when planned. Part of the digest. */
  readonly before: Readonly<Record<ItemKey, string>>;
}

/** A step as a kind emits it; host, document and before-states are filled in by the planner. */
export type StepDraft = Omit<
  Step,
  'kind' | 'host' | 'document' | 'before' | 'reason' | 'wave' | 'onRemoval' | 'absent'
> & {
  readonly reason?: StepReason;
};

/** A remark that needs no effect, such as "not applicable here". */
export interface Finding {
  readonly kind: 'finding';
  readonly severity: 'info' | 'warning' | 'error';
  readonly host: string;
  readonly document: string;
  readonly message: string;
  /** Where the document says what it is about. */
  readonly position?: Position;
  /** A reading of how things are, told again once the change is verified. */
  readonly readBack?: true;
  /** Outstanding until a person sees to it: no run does it by itself. */
  readonly waits?: true;
}

export interface HostPlan {
  readonly kind: 'host-plan';
  readonly host: string;
  /** Which machine answered, as facts/machine.ts has it; left out where that is not known. No part of the digest. */
  readonly machine?: string;
  /** Order of execution. */
  readonly steps: readonly Step[];
  readonly findings: readonly Finding[];
  /** Documents whose work comes up by itself and was not looked for, as the change does not touch them. Left out: none. */
  readonly unasked?: readonly string[];
  readonly digest: string;
}

export interface Plan {
  readonly kind: 'plan';
  readonly hosts: readonly HostPlan[];
  /** Left out where nobody applies the plan, as on the command line. */
  readonly rollout?: PlanRollout;
  readonly digest: string;
}
