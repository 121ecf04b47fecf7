import { errorAt } from '../documents.ts';
import { durationSeconds } from '../duration.ts';
import type { LocatedDocument, SpecError } from '../manifest.ts';
import { describePointer } from '../pointer.ts';

/** A duration of the document lies between two bounds, in seconds. */
export function checkDuration(
  document: LocatedDocument,
  pointer: string,
  text: string,
  least: number,
  most: number,
): readonly SpecError[] {
  const seconds = durationSeconds(text);
  if (seconds >= least && seconds <= most) return [];
  const bound = seconds < least ? `at least ${durationText(least)}` : `at most ${durationText(most)}`;
  const message = `${describePointer(pointer)} is ${text}, but must be ${bound}.`;
  return [errorAt(document, 'wrong-value', pointer, message)];
}

function durationText(seconds: number): string {
  if (seconds < 1) return `${seconds * 1000}ms`;
  return seconds % 3600 === 0 ? `${seconds / 3600}h` : `${seconds}s`;
}
