import { answer, problem } from './answers.ts';
import type { Activity, ApiAnswer, LabContext } from './context.ts';
import { newCommits } from './history.ts';
import { callJson } from './internal.ts';
import type { RefChange } from './mirror.ts';
import type { Route, RouteInput } from './routes.ts';
import type { RepoRow } from './rows.ts';

const HEADS = 'refs/heads/';
const ZERO = '0'.repeat(40);
const PER_PAGE = 30;
const PER_PAGE_LIMIT = 100;

export const ACTIVITY_ROUTES: readonly Route[] = [
  { method: 'GET', path: /^\/activity$/, handle: listActivities },
];

/** Keeps who moved which branch, as GitHub does whether or not an App hears of it. */
export function recordActivity(
  { state, store }: LabContext,
  repo: RepoRow,
  changes: readonly RefChange[],
  actor: string,
  moved?: 'pr_merge',
): void {
  const known = state.activities.get(repo.id) ?? [];
  const made = changes
    .filter(({ ref }) => ref.startsWith(HEADS))
    .map((change) => ({
      id: state.nextActivityId++,
      ref: change.ref,
      before: change.before ?? ZERO,
      after: change.after ?? ZERO,
      timestamp: new Date().toISOString(),
      activity_type: moved ?? typeOf(change, isForced({ store }, repo, change)),
      actor,
    }));
  state.activities.set(repo.id, [...known, ...made]);
}

function typeOf({ before, after }: RefChange, forced: boolean): Activity['activity_type'] {
  if (after === undefined) return 'branch_deletion';
  if (before === undefined) return 'branch_creation';
  return forced ? 'force_push' : 'push';
}

/** Forced: the old tip is no ancestor of the new one. */
export function isForced({ store }: Pick<LabContext, 'store'>, repo: RepoRow, change: RefChange): boolean {
  if (change.before === undefined || change.after === undefined) return false;
  return newCommits(store, repo.id, { before: change.after, after: change.before }).length > 0;
}

/** Pages are reached by cursors in the Link header, not by numbers. */
async function listActivities(input: RouteInput): Promise<ApiAnswer> {
  const { context, repo, query } = input;
  const wanted = query.get('ref');
  const ref = wanted === null || wanted.startsWith('refs/') ? wanted : `${HEADS}${wanted}`;
  const [type, actor] = [query.get('activity_type'), query.get('actor')];
  const found = (context.state.activities.get(repo.id) ?? []).filter(
    (each) =>
      (ref === null || each.ref === ref) &&
      (type === null || each.activity_type === type) &&
      (actor === null || each.actor === actor),
  );
  if (query.has('time_period')) return problem(422, 'the lab keeps no periods');
  const ordered = query.get('direction') === 'asc' ? found : found.toReversed();
  const size = Math.min(PER_PAGE_LIMIT, Number(query.get('per_page') ?? PER_PAGE));
  const start = startOf(ordered, query, size);
  if (start === undefined) return problem(422, 'the cursor is not one that GitHub gave');
  const page = ordered.slice(start, start + size);
  const more = start + size < ordered.length ? { link: nextLink(input, page.at(-1)) } : {};
  return answer(200, await Promise.all(page.map((each) => shown(context, each))), more);
}

function startOf(ordered: readonly Activity[], query: URLSearchParams, size: number): number | undefined {
  const place = (cursor: string): number => ordered.findIndex((each) => cursorOf(each) === cursor);
  const after = query.get('after');
  const before = query.get('before');
  const cursor = after ?? before;
  if (cursor === null) return 0;
  const found = place(cursor);
  if (found < 0) return undefined;
  return after === null ? Math.max(0, found - size) : found + 1;
}

function cursorOf({ id }: Activity): string {
  return Buffer.from(`activity:${id}`).toString('base64url');
}

function nextLink({ context, call }: RouteInput, last: Activity | undefined): string {
  const url = new URL(call.path, context.baseUrl);
  url.searchParams.delete('before');
  if (last !== undefined) url.searchParams.set('after', cursorOf(last));
  return `<${url.href}>; rel="next"`;
}

async function shown(context: LabContext, activity: Activity) {
  const actor = await callJson(context, `/users/${encodeURIComponent(activity.actor)}`);
  return { ...activity, node_id: `ACT_${activity.id}`, actor };
}
