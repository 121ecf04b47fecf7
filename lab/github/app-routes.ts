import { answer, ok, problem } from './answers.ts';
import type { ApiAnswer, ApiCall, LabContext } from './context.ts';
import type { Delivery } from './deliveries.ts';
import { callEmulator, callJson } from './internal.ts';
import { parseJson } from './json.ts';
import type { TokenUser } from './rows.ts';

const PER_PAGE = 30;
const PER_PAGE_LIMIT = 100;

/** The App's own addresses that the emulator lacks; undefined for any other. */
export async function appRoute(
  context: LabContext,
  call: ApiCall,
  user: TokenUser | undefined,
): Promise<ApiAnswer | undefined> {
  const url = new URL(call.path, context.baseUrl);
  if (call.method === 'GET' && url.pathname === '/installation/repositories') {
    return installationRepositories(context, url, user);
  }
  if (!url.pathname.startsWith('/app/hook/deliveries')) return undefined;
  const app = await callEmulator(context, { ...call, method: 'GET', path: '/app', body: Buffer.alloc(0) });
  if (!ok(app)) return app;
  if (call.method === 'GET' && url.pathname === '/app/hook/deliveries') return listDeliveries(context, url);
  const one = /^\/app\/hook\/deliveries\/(\d+)(\/attempts)?$/.exec(url.pathname);
  if (one === null) return undefined;
  const delivery = context.deliveries
    .all()
    .find((entry) => entry.attempts.some((attempt) => attempt.id === Number(one[1])));
  if (delivery === undefined) return problem(404, 'Not Found');
  if (call.method === 'GET' && one[2] === undefined) return answer(200, full(delivery, Number(one[1])));
  if (call.method !== 'POST' || one[2] === undefined) return undefined;
  void context.deliveries.redeliver(delivery.guid);
  return answer(202, {});
}

async function installationRepositories(
  context: LabContext,
  url: URL,
  user: TokenUser | undefined,
): Promise<ApiAnswer> {
  const installation = user?.installation;
  if (installation === undefined)
    return problem(403, 'You must authenticate with an installation access token');
  const rows = context.store.repos
    .findBy('owner_id', installation.accountId)
    .filter((row) => row.owner_type === installation.accountType && row.without_app !== true)
    .filter(
      (row) => installation.repositorySelection === 'all' || installation.repositoryIds.includes(row.id),
    );
  const page = pageOf(url);
  const shown = rows.slice(page.start, page.end);
  const repositories = await Promise.all(shown.map((row) => callJson(context, `/repos/${row.full_name}`)));
  return answer(200, {
    total_count: rows.length,
    repository_selection: installation.repositorySelection,
    repositories,
  });
}

function pageOf(url: URL): { start: number; end: number } {
  const size = Math.min(PER_PAGE_LIMIT, Number(url.searchParams.get('per_page') ?? PER_PAGE));
  const page = Math.max(1, Number(url.searchParams.get('page') ?? 1));
  return { start: (page - 1) * size, end: page * size };
}

/** Newest first; every attempt is an item of its own, as on GitHub. */
function listDeliveries(context: LabContext, url: URL): ApiAnswer {
  const size = Math.min(PER_PAGE_LIMIT, Number(url.searchParams.get('per_page') ?? PER_PAGE));
  const cursor = cursorOf(url);
  if (Number.isNaN(cursor)) return problem(422, 'Invalid cursor');
  const items = context.deliveries
    .all()
    .flatMap((delivery) => delivery.attempts.map((attempt) => summary(delivery, attempt.id)))
    .sort((left, right) => right.id - left.id)
    .filter((item) => item.id < cursor);
  const shown = items.slice(0, size);
  const last = shown.at(-1)?.id;
  if (items.length <= size || last === undefined) return answer(200, shown);
  const next = new URL(url);
  next.searchParams.set('cursor', `${CURSOR}${last}`);
  return answer(200, shown, { link: `<${next.href}>; rel="next"` });
}

/** As GitHub's look; what they hold is nobody else's business. */
const CURSOR = 'v1_';

/** NaN for one that GitHub did not give. */
function cursorOf(url: URL): number {
  const given = url.searchParams.get('cursor');
  if (given === null) return Number.POSITIVE_INFINITY;
  return given.startsWith(CURSOR) ? Number(given.slice(CURSOR.length)) : Number.NaN;
}

function summary(delivery: Delivery, id: number) {
  const attempt = delivery.attempts.find((entry) => entry.id === id);
  const status = attempt?.status ?? 0;
  return {
    id,
    guid: delivery.guid,
    delivered_at: attempt?.at,
    redelivery: attempt?.redelivery ?? false,
    duration: (attempt?.durationMs ?? 0) / 1000,
    status: status >= 200 && status < 300 ? 'OK' : 'failed to connect to host',
    status_code: status,
    event: delivery.event,
    action: delivery.action ?? null,
    installation_id: null,
    repository_id: null,
    throttled_at: null,
  };
}

function full(delivery: Delivery, id: number) {
  const payload = parseJson(Buffer.from(delivery.body));
  return { ...summary(delivery, id), request: { headers: delivery.headers, payload }, response: {} };
}
