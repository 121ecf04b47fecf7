import type { BatchEvent, BatchResult } from '../hosts/batchRun.ts';
import type { Mask } from '../spec/secrets.ts';
import type { ReceiptState } from '../store/receipts.ts';

/** Changes of one step's state that are kept: a run that is resumed again and again has some, a host that lies any number. */
const CHANGES_MAX = 100;
/** Sentences about one host that are kept; they go through Temporal, which bounds what it takes. */
const SENTENCES_MAX = 200;
/** Characters of each. */
const SENTENCE_MAX = 5_000;

export interface StepChange {
  readonly step: string;
  readonly state: ReceiptState;
  /** Since the step was started. */
  readonly seconds: number;
}

/**
 * Tells from each line of a host's journal whether a step of the plan has another state now. Whatever a host writes, there is not more to
 * keep than that.
 */
export function followSteps(steps: readonly string[]): (event: BatchEvent) => StepChange | undefined {
  const known = new Map(steps.map((id) => [id, { state: '', started: Number.NaN, changes: 0 }]));
  return ({ at, step, event }) => {
    const now = known.get(step);
    const state = STATES.get(event);
    if (now === undefined || state === undefined) return undefined;
    if (event === 'started') now.started = at;
    if (now.state === state || now.changes >= CHANGES_MAX) return undefined;
    now.state = state;
    now.changes += 1;
    return { step, state, seconds: Number.isNaN(now.started) ? 0 : at - now.started };
  };
}

const STATES: ReadonlyMap<string, ReceiptState> = new Map([
  ['started', 'captured'],
  ['done', 'done'],
  ['already', 'already'],
  ['failed', 'failed'],
  ['undone', 'undone'],
  ['stuck', 'unknown'],
  ['differs', 'unknown'],
]);

/** What an effect did that its plan could not name, or what a restore left or moved on purpose. */
export function remarksOf(result: BatchResult, mask: Mask): readonly string[] {
  return bounded(result.events.flatMap((event) => (event.event === 'note' ? [mask(event.detail)] : [])));
}

/** What could not be put back. What a step printed is masked before it is part of a sentence: a secret that was cut stands at its end. */
export function remainsOf(result: BatchResult, mask: Mask): readonly string[] {
  return bounded(
    result.events.flatMap((event) => {
      if (event.event === 'stuck') return [`${event.step} could not be put back: ${mask(event.detail)}`];
      if (event.event === 'differs') return [mask(`${event.detail} is not as it was before`)];
      if (event.event === 'touched-later') {
        const [item = '', later = ''] = event.detail.split(' ');
        return [
          mask(later === '-' ? `${item} was changed since` : `${item} was changed by the later run ${later}`),
        ];
      }
      return [];
    }),
  );
}

function bounded(sentences: readonly string[]): readonly string[] {
  const kept = sentences.slice(0, SENTENCES_MAX).map((sentence) => sentence.slice(0, SENTENCE_MAX));
  const more = sentences.length - kept.length;
  return more > 0 ? [...kept, `and ${more} more`] : kept;
}
