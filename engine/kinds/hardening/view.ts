import type { Readings } from '../../facts/fact.ts';
import { type SshdState, sshdFact } from '../../facts/sshd.ts';
import { type SurveyState, surveyFact } from '../../facts/survey.ts';
import { type SystemState, systemFact } from '../../facts/system.ts';
import type { PlanContext } from '../kind.ts';
import { stateOf } from '../readings.ts';
import type { Profile } from './control.ts';

/** What controls are judged by. */
export interface View {
  readonly profile: Profile;
  readonly readings: Readings;
  readonly context: Pick<PlanContext, 'server' | 'jumpFor'>;
  readonly survey: SurveyState;
  readonly sshd: SshdState;
  readonly system: SystemState;
  /** Packages that this plan installs. */
  readonly installs: ReadonlySet<string>;
}

export type Verdict =
  | { readonly kind: 'passed' }
  /** A step of the plan repairs it. */
  | { readonly kind: 'failed' }
  /** Nothing repairs it but a person. A sentence without its full stop. */
  | { readonly kind: 'attention'; readonly message: string }
  /** Without its full stop, as after "because". */
  | { readonly kind: 'not-applicable'; readonly reason: string };

export const PASSED: Verdict = { kind: 'passed' };
export const FAILED: Verdict = { kind: 'failed' };

export function passedIf(holds: boolean): Verdict {
  return holds ? PASSED : FAILED;
}

export function notApplicable(reason: string): Verdict {
  return { kind: 'not-applicable', reason };
}

export function attention(message: string): Verdict {
  return { kind: 'attention', message };
}

export function viewOf(
  profile: Profile,
  readings: Readings,
  context: Pick<PlanContext, 'server' | 'jumpFor'>,
  installs: ReadonlySet<string> = new Set(),
): View {
  return {
    profile,
    readings,
    context,
    survey: stateOf(readings, surveyFact, 'all'),
    sshd: stateOf(readings, sshdFact, 'all'),
    system: stateOf(readings, systemFact, 'all'),
    installs,
  };
}
