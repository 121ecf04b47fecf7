import type { StepDraft } from '../../plan/step.ts';
import type { KindPlan } from '../kind.ts';

export function steps(...drafts: readonly StepDraft[]): KindPlan {
  return { steps: drafts, findings: [] };
}

/** Nothing can be done about the item until a person acts. */
export function problem(message: string): KindPlan {
  return { steps: [], findings: remark('error', message) };
}

export function remark(
  severity: KindPlan['findings'][number]['severity'],
  message: string,
): KindPlan['findings'] {
  return [{ severity, message }];
}

export function joined(plans: readonly KindPlan[]): KindPlan {
  return { steps: plans.flatMap((plan) => plan.steps), findings: plans.flatMap((plan) => plan.findings) };
}
