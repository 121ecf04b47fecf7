import { renderCorrection } from './correction.ts';
import { renderDrift } from './drift.ts';
import { folded, prose } from './escape.ts';
import { renderNothingToDo, renderPlan, renderWaitingForLock } from './plan.ts';
import { renderStopped } from './rollout.ts';
import { renderApply, renderHeld, renderRollback, renderVerify } from './run.ts';
import { renderValidate } from './validate.ts';
import type { Rendered, View } from './views.ts';

/** Any view as a check's title and summary. Pure. */
export function render(view: View): Rendered {
  switch (view.kind) {
    case 'validate':
      return renderValidate(view);
    case 'plan':
      return renderPlan(view);
    case 'nothing-to-do':
      return renderNothingToDo(view);
    case 'waiting-for-lock':
      return renderWaitingForLock(view);
    case 'apply':
      return renderApply(view);
    case 'verify':
      return renderVerify(view);
    case 'rollback':
      return renderRollback(view);
    case 'held':
      return renderHeld(view);
    case 'stopped':
      return renderStopped(view);
    case 'drift':
      return renderDrift(view);
    case 'correction':
      return renderCorrection(view);
  }
}

/** The comment: what holds now, and folded below it what came before. */
export function renderComment(now: View, before: readonly View[] = []): string {
  const main = render(now);
  const earlier = before.map(render).map((part) => folded(part.title, part.body));
  return [`### ${prose(main.title)}`, main.body, ...earlier].filter((block) => block !== '').join('\n\n');
}
