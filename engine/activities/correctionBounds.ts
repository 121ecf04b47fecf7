import { recordName } from '../github/workflowIds.ts';
import { isSameOpening } from '../policy/calendar.ts';
import type { PolicyWindow } from '../spec/types.generated.ts';
import type { Run } from '../store/runs.ts';
import { cancelledBy } from './cancelCorrection.ts';
import type { Engine } from './engine.ts';
import { NO_PULL } from './planRef.ts';
import type { RunRef } from './types.ts';

/** Failed corrections of one issue, then it waits for a person. */
export const FAILED_MAX = 2;
/** Successful corrections of one document in a day: where more are needed, something writes it all the time. */
export const DAILY_MAX = 3;

const DAY_MS = 24 * 3600 * 1000;
/** How far failures of an issue are looked for. */
const LOOK_BACK_MS = 90 * DAY_MS;

/**
 * Why a document is not corrected once more: a sentence without its full stop, with what to do. `window`: in which its work is done;
 * what failed in it is tried again in a later one, when what was in the way, such as an archive that was away, may be gone.
 */
export async function triedEnough(
  { store }: Pick<Engine, 'store'>,
  repository: string,
  document: string,
  issue: number | undefined,
  window?: PolicyWindow,
): Promise<string | undefined> {
  const canceller =
    issue === undefined ? undefined : await cancelledBy({ store }, repository, issue, document);
  if (canceller !== undefined && issue === NO_PULL)
    return `${canceller} cancelled it within the last day; it is tried again after that, unless the document says \`drift: { action: report }\` by then`;
  if (canceller !== undefined) return `${canceller} cancelled it, so it is not tried again. ${ANEW}`;
  const now = Date.now();
  const runs = (await store.runs.ofKind(repository, 'correction', now - LOOK_BACK_MS)).filter(
    (run) => documentOf(run) === document,
  );
  const failed = runs.filter((run) => run.pullNumber === issue && FAILED.has(run.state));
  if (failed.length >= FAILED_MAX)
    return `it has failed ${failed.length} times and is not tried again. Mend what is in the way and close this issue: the next reading tries anew, in a new one. Or let a pull request change the document`;
  if (window !== undefined && failed.some(({ startedAt }) => isSameOpening(window, startedAt, now)))
    return 'it has failed in this window, and is tried once more in a later one. If what was in the way is mended, close this issue: the next reading tries anew, in a new one';
  const today = runs.filter(({ startedAt, state }) => state === 'applied' && startedAt > now - DAY_MS).length;
  if (today < DAILY_MAX) return undefined;
  return `it was corrected ${today} times within a day and differs again, so somebody or something keeps changing it. Find out who, or take it into \`drift.ignore\`; it is tried again a day after the first of them`;
}

const ANEW =
  'Close this issue once it may be: the next reading tries anew, in a new one. Or let a pull request change the document';

/** Corrections of the issue that failed, this one included, whose end may not be in the store yet. */
export async function failedOf(
  { store }: Pick<Engine, 'store'>,
  { pull }: Pick<RunRef, 'pull'>,
  run: string,
): Promise<number> {
  const all = await store.runs.ofPull(recordName(pull.repository), pull.number);
  return all.filter(({ id, kind, state }) => kind === 'correction' && (id === run || FAILED.has(state)))
    .length;
}

const FAILED: ReadonlySet<Run['state']> = new Set(['rolled-back', 'held', 'failed']);

function documentOf({ detail }: Run): string | undefined {
  return (detail as { readonly ref?: RunRef } | null)?.ref?.correction?.document;
}
