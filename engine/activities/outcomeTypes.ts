/** The part of the contract of types.ts that is about what came of a step of a run. */
import type { PolicyWindow } from '../spec/types.generated.ts';
import type { HostFailure } from './rolloutTypes.ts';

/** What a correction is for. */
export interface CorrectionOf {
  readonly document: string;
  /** It is work that the document declares: what is done in its window stays, also where that shuts before the rest is done. */
  readonly maintenance?: true;
}

export type ConfirmOutcome =
  /** `baseSha`: the base has moved, and the plan is the same on this tip. */
  | {
      readonly kind: 'unchanged';
      readonly baseSha?: string;
      /** Outside of which nothing may be changed, by the policy of now; left out where there are none. */
      readonly windows?: readonly PolicyWindow[];
    }
  /** The approval does not cover what would run now; the sentence says what changed. `idle`: nothing would run there. */
  | { readonly kind: 'changed'; readonly reason: string; readonly idle?: true };

export type HostOutcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' };

export type VerifyOutcome =
  | { readonly kind: 'verified' }
  /** `hosts`: each that is not as wanted, with the first thing that is wrong. */
  | { readonly kind: 'failed'; readonly reason: string; readonly hosts?: readonly HostFailure[] };

export type UndoOutcome =
  /** `remarks`: what was left or moved on purpose. */
  | { readonly kind: 'rolled-back'; readonly remarks?: readonly string[] }
  /** What remains, for a person. */
  | { readonly kind: 'held'; readonly reason: string }
  /** A later run touched the same item, so nothing was done. */
  | { readonly kind: 'refused'; readonly reason: string };

export type MergeOutcome =
  | { readonly kind: 'merged'; readonly mergeSha: string; readonly differs: boolean }
  | { readonly kind: 'refused'; readonly reason: string };
