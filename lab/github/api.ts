import { ACTIVITY_ROUTES } from './activity.ts';
import { ok, problem } from './answers.ts';
import { appRoute } from './app-routes.ts';
import { announce } from './changes.ts';
import { CHECK_ROUTES } from './check-routes.ts';
import { CODE_SCANNING_ROUTES } from './code-scanning.ts';
import type { ApiAnswer, ApiCall, LabContext } from './context.ts';
import { callEmulator, tokenOf } from './internal.ts';
import { parseJson } from './json.ts';
import { jwtTimeProblem, secondsNow } from './jwt-time.ts';
import { limitErrors } from './limits.ts';
import { exportToGit } from './mirror.ts';
import { OTHER_ROUTES } from './other-routes.ts';
import { PULL_ROUTES } from './pull-routes.ts';
import { QUEUE_ROUTES } from './queue.ts';
import { inTurn, mirrorOf, repoOfPath } from './repositories.ts';
import type { Route } from './routes.ts';
import type { RepoRow, TokenUser } from './rows.ts';
import { byName, redirected, refusedOn, refusedToInstallation } from './standing.ts';

const ROUTES: readonly Route[] = [
  ...PULL_ROUTES,
  ...CHECK_ROUTES,
  ...CODE_SCANNING_ROUTES,
  ...ACTIVITY_ROUTES,
  ...QUEUE_ROUTES,
  ...OTHER_ROUTES,
];

/** Requests that write, but never move a branch or tag: git need not be brought up to them. */
const MOVES_NO_REF =
  /^\/repos\/[^/]+\/[^/]+\/(git\/(blobs|trees|commits|tags)$|issues|check-runs|check-suites|code-scanning|pulls\/\d+\/reviews)/;

/** Answers one request of the REST API: limits, the layer's routes, the emulator, then git is brought up to it. */
export async function answerApi(context: LabContext, given: ApiCall): Promise<ApiAnswer> {
  const call = byName(context, given);
  const token = tokenOf(call.headers.authorization);
  const user = token === undefined ? undefined : context.emulator.tokens.get(token);
  const isJwt = token?.startsWith('eyJ') === true;
  if (token !== undefined && user === undefined && !isJwt) return problem(401, 'Bad credentials');
  const untimely = token !== undefined && isJwt ? jwtTimeProblem(token, secondsNow()) : undefined;
  if (untimely !== undefined) return problem(401, untimely);
  const json = parseJson(call.body);
  if (call.body.length > 0 && json === undefined) return problem(400, 'Problems parsing JSON');
  const pathname = call.path.split('?')[0] ?? '';
  const limits = limitErrors(call.method, pathname, json);
  if (limits.length > 0) return problem(422, 'Validation Failed', limits);
  const own = refusedToInstallation(context, call, user) ?? (await appRoute(context, call, user));
  if (own) return own;
  const repo = repoOfPath(context, pathname);
  if (repo === undefined) return redirected(context, call) ?? callEmulator(context, call);
  const refused = refusedOn(context, call, repo, user);
  if (refused) return refused;
  const run = () => route(context, call, pathname, repo, user, json);
  if (call.method === 'GET' || call.method === 'HEAD' || MOVES_NO_REF.test(pathname)) return run();
  return inTurn(context, repo, () => changing(context, repo, actorOf(context, user), run));
}

function actorOf(context: LabContext, user: TokenUser | undefined): string {
  return user?.installation ? `${context.app.slug}[bot]` : (user?.login ?? 'ghost');
}

async function changing(
  context: LabContext,
  repo: RepoRow,
  actor: string,
  run: () => Promise<ApiAnswer>,
): Promise<ApiAnswer> {
  const found = await run();
  if (!ok(found) || context.store.repos.get(repo.id) === undefined) return found;
  const mirror = await mirrorOf(context, repo);
  const changes = await exportToGit(mirror, context.store);
  await announce(context, mirror, repo, changes, actor);
  return found;
}

async function route(
  context: LabContext,
  call: ApiCall,
  pathname: string,
  repo: RepoRow,
  user: TokenUser | undefined,
  json: unknown,
): Promise<ApiAnswer> {
  const rest = pathname.replace(/^\/repos\/[^/]+\/[^/]+/, '');
  for (const candidate of ROUTES) {
    const match = candidate.method === call.method ? candidate.path.exec(rest) : null;
    if (match === null) continue;
    if (user === undefined && repo.private) return problem(404, 'Not Found');
    const query = new URL(call.path, context.baseUrl).searchParams;
    const input = { context, call, params: match.slice(1), query, repo, user, json };
    return candidate.handle({ ...input, actor: actorOf(context, user) });
  }
  return callEmulator(context, call);
}
