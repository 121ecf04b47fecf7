import { recordName } from '../github/workflowIds.ts';
import { coveredBy } from '../plan/digest.ts';
import type { HostPlan } from '../plan/step.ts';
import { isSameOpening } from '../policy/calendar.ts';
import type { PolicyWindow } from '../spec/types.generated.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { cancelledBy } from './cancelCorrection.ts';
import type { Engine } from './engine.ts';
import { NO_PULL } from './planRef.ts';
import type { RunRef } from './types.ts';

/** Failed corrections of one issue, then it waits for a person. */
export const FAILED_MAX = 2;
/** Successful corrections of one document in a day, or of the same declared work on one server: where more are needed, something undoes it all the time. */
export const DAILY_MAX = 3;

const DAY_MS = 24 * 3600 * 1000;
/** How far failures of an issue are looked for. */
const LOOK_BACK_MS = 90 * DAY_MS;

/** Work that the document itself declares, such as updates, which go to other servers each time. */
export interface Declared {
  readonly window: PolicyWindow;
  /** What is to be done now. */
  readonly hosts: readonly HostPlan[];
}

/**
 * Why a document is not corrected once more: a sentence without its full stop, with what to do. What failed in the window of `declared`
 * is tried again in a later one, when what was in the way, such as an archive that was away, may be gone.
 */
export async function triedEnough(
  { store }: Pick<Engine, 'store'>,
  repository: string,
  document: string,
  issue: number | undefined,
  declared?: Declared,
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
  if (
    declared !== undefined &&
    failed.some(({ startedAt }) => isSameOpening(declared.window, startedAt, now))
  )
    return 'it has failed in this window, and is tried once more in a later one. If what was in the way is mended, close this issue: the next reading tries anew, in a new one';
  const today = runs.filter(({ startedAt, state }) => state === 'applied' && startedAt > now - DAY_MS);
  if (today.length < DAILY_MAX) return undefined;
  if (declared !== undefined) return doneAgain(store, today, declared.hosts);
  return `it was corrected ${today.length} times within a day and differs again, so somebody or something keeps changing it. Find out who, or take it into \`drift.ignore\`; it is tried again a day after the first of them`;
}

/** The same on the same server. What a run had left for later there counts as done. */
async function doneAgain(
  store: Pick<Store, 'plans'>,
  runs: readonly Run[],
  hosts: readonly HostPlan[],
): Promise<string | undefined> {
  const done = new Map<string, number>();
  for (const run of runs) {
    const digest = refOf(run)?.plan.digest;
    const plan = digest === undefined ? undefined : await store.plans.get(digest);
    for (const { host, steps } of plan?.hosts ?? []) {
      const now = hosts.find((each) => each.host === host);
      if (now !== undefined && coveredBy(steps, now.steps)) done.set(host, (done.get(host) ?? 0) + 1);
    }
  }
  const [host, times] = [...done].find(([, count]) => count >= DAILY_MAX) ?? [];
  if (host === undefined) return undefined;
  return `the same was done ${times} times within a day on ${host} and is outstanding there again, so something undoes it. Find out what, or exclude that there; it is tried again a day after the first of them`;
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

function documentOf(run: Run): string | undefined {
  return refOf(run)?.correction?.document;
}

function refOf({ detail }: Run): RunRef | undefined {
  return (detail as { readonly ref?: RunRef } | null)?.ref;
}
