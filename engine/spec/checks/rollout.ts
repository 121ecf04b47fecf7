import { MAX_PAUSE_SECONDS } from '../../rollout/rollout.ts';
import type { PlannedDocument } from '../documents.ts';
import type { SpecError } from '../manifest.ts';
import { checkDuration } from './duration.ts';

/** What the schema cannot say about the rollout of a document. */
export function checkPause(document: PlannedDocument): readonly SpecError[] {
  const { pause } = document.spec.rollout ?? {};
  if (pause === undefined) return [];
  return checkDuration(document, '/spec/rollout/pause', pause, 0, MAX_PAUSE_SECONDS);
}
