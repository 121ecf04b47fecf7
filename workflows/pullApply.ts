import type { PlanRef, Request } from '../engine/activities/types.ts';
import { FORK, NOT_OPEN } from './help.ts';
import { mayPlan, meantAnOlderHead, type PullState } from './pullState.ts';

/** The plan that is meant by who asks to apply; or the sentence that says why there is none. */
export function applicable(
  state: PullState,
  request: Request,
): { readonly plan: PlanRef } | { readonly no: string } {
  const { snapshot, plan } = state;
  if (snapshot?.state !== 'open') return { no: NOT_OPEN };
  if (!mayPlan(state, snapshot)) return { no: FORK };
  if (plan === undefined)
    return { no: 'There is no plan to apply for this head; the checks say why. `/doaas plan` tries again.' };
  if (request.headSha !== undefined && request.headSha !== plan.headSha)
    return {
      no: 'That button belongs to an older head; look at the plan of the newest one and apply that.',
    };
  if (meantAnOlderHead(state, request)) return { no: headMoved(plan) };
  if (Date.parse(request.at) < Math.floor(Date.parse(plan.shownAt) / 1000) * 1000)
    return {
      no: 'The plan changed after you asked. Look at the new one; if it is what you want, say `/doaas apply` again.',
    };
  return { plan };
}

function headMoved({ headSha }: PlanRef): string {
  return `The head moved to ${headSha.slice(0, 8)} when you asked. Look at its plan; if it is what you want, say \`/doaas apply\` again.`;
}
