import { code, fence, folded, oneLine, prose, table } from './escape.ts';
import { DONE_HEADING, LEFT_HEADING, LEFT_IN_TITLE, remarksList } from './remarks.ts';
import type { CorrectionView, HostProblem, Rendered } from './views.ts';
import { count } from './words.ts';

/** Rows of a table; more are counted. */
const MAX_ROWS = 100;
/** Characters of a reason. */
const REASON_MAX = 2_000;

/** How a correction goes: one comment a run on the drift issue, edited in place. */
export function renderCorrection(view: CorrectionView): Rendered {
  const [title, ...blocks] = parts(view);
  return { title: oneLine(title), body: blocks.join('\n\n') };
}

function parts({
  run,
  document,
  declared,
  outcome,
  changes,
  remarks = [],
  left = [],
}: CorrectionView): readonly [string, ...string[]] {
  const by = `By the run ${code(run)}, which is in the audit log.`;
  const unbegun = `It would be the run ${code(run)}, which has not begun; \`/doaas cancel\` here stops it.`;
  switch (outcome.kind) {
    case 'waiting':
      return [
        `Correction of ${document} waits`,
        `Its servers are held by ${prose(outcome.behind)}. It is number ${outcome.position} in the queue.`,
        unbegun,
      ];
    case 'not-made':
      return [
        `Not corrected: ${document}`,
        `${prose(outcome.reason, REASON_MAX)}. Nothing was changed; ${outcome.cancelled ? NOT_AGAIN : 'the next reading looks again.'}`,
        `The run ${code(run)} did not begin.`,
      ];
    case 'corrected':
      return [
        `${declared === true ? 'Done' : 'Corrected'}: ${document}${left.length === 0 ? '' : LEFT_IN_TITLE}`,
        `${declared === true ? 'Done as the document declares' : 'Put back as the branch says'} at ${time(outcome.at)}, and verified. ${by}`,
        ...done(changes, outcome.leftOut),
        ...[remarksList(DONE_HEADING, remarks), remarksList(LEFT_HEADING, left)].filter(
          (text) => text !== '',
        ),
        outcome.remaining === 0
          ? 'Nothing differs any more, so this issue is closed.'
          : `${count(outcome.remaining, 'difference')} left${declared === true ? '' : ' for a person'}, so this issue stays open.`,
      ];
    case 'rolled-back':
      return [
        `Correction ${outcome.cancelled ? 'cancelled and' : 'failed and was'} rolled back: ${document}`,
        `${prose(outcome.reason, REASON_MAX)}.`,
        `The servers are as they were found. ${by}`,
        ...[remarksList(BEFORE_HEADING, remarks)].filter((text) => text !== ''),
        outcome.cancelled
          ? `It was cancelled; ${NOT_AGAIN}`
          : goOn(outcome, declared === true ? 'in a later window' : 'at a later reading'),
      ];
    case 'dead':
      return [
        `Correction ended without cleaning up: ${document}`,
        `${prose(outcome.reason, REASON_MAX)}.`,
        `The servers are free; what it did there is undone first by the next pull request that changes them. ${by}`,
      ];
    case 'held':
      return held(document, by, outcome);
  }
}

const BEFORE_HEADING = 'What was done before they were put back';

type Held = Extract<CorrectionView['outcome'], { kind: 'held' }>;

function held(document: string, by: string, { reason, remains, kept }: Held): readonly [string, ...string[]] {
  const why = `${prose(reason, REASON_MAX)}.`;
  if (kept)
    return [
      `Correction cancelled, and kept as it was: ${document}`,
      why,
      `What was put back by then stays. ${by} It keeps its servers, so that nothing else is done there; \`/doaas unlock\` here frees them. The next reading then says what still differs.`,
      `It was cancelled; ${NOT_AGAIN}`,
    ];
  return [
    `Correction failed and could not be rolled back: ${document}`,
    why,
    `What remains, for a person:\n\n${remains.map((remain) => `- ${prose(remain, REASON_MAX)}`).join('\n')}`,
    `${by} It keeps its servers, so that nothing else is done there. Look at them; then \`/doaas unlock\` here frees them.`,
  ];
}

const NOT_AGAIN =
  'it is **not tried again**. Close this issue once it may be: the next reading tries anew, in a new one. Or let a pull request change the document.';

function goOn({ failed, most }: { readonly failed: number; readonly most: number }, when: string): string {
  if (failed < most) return `It is tried once more ${when} (${failed} of ${most} tries).`;
  return `It has failed ${failed} times and is **not tried again**. Mend what is in the way and close this issue: the next reading tries anew, in a new one. Or let a pull request change the document.`;
}

function done(changes: CorrectionView['changes'], leftOut: readonly HostProblem[]): readonly string[] {
  const out = new Set(leftOut.map(({ host }) => host));
  const made = changes.filter(({ host }) => !out.has(host));
  const rows = made.slice(0, MAX_ROWS).map(({ host, summary }) => [prose(host), prose(summary)]);
  const more = made.length - rows.length;
  const diffs = made.slice(0, MAX_ROWS).flatMap(({ host, summary, diff }) => {
    return diff === '' ? [] : [`${prose(host)}: ${prose(summary)}\n\n${fence(diff, 'diff')}`];
  });
  return [
    table(['server', 'change'], rows),
    ...(more > 0 ? [`*${count(more, 'more change')} not shown*`] : []),
    ...(diffs.length === 0 ? [] : [folded('What was changed', diffs.join('\n\n'))]),
    ...leftOut.map(({ host, message }) => `Not on ${prose(host)}: ${prose(message, REASON_MAX)}.`),
  ];
}

/** UTC, to the minute. */
export function time(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').slice(0, 16).concat(' UTC');
}
