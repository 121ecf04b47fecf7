import { createAppAuth } from '@octokit/auth-app';
import { retry } from '@octokit/plugin-retry';
import { Octokit } from '@octokit/rest';
import type { Config } from '../config/config.ts';
import { type Secret, secret } from '../config/secret.ts';
import type { Logger } from '../log.ts';
import { type AppKey, appJwt } from './appKey.ts';
import { appLimits, installationLimits, type Limits } from './budget.ts';
import { calling, GitHubError, type GitHubErrorType, isForToken, toGitHubError } from './errors.ts';
import { type GitHubClock, githubClock } from './githubClock.ts';
import { createKnown, type Known } from './known.ts';
import { PAGE_SIZE } from './limits.ts';
import { readWhole } from './pages.ts';
import { createRedelivering } from './redeliver.ts';
import { createThrottle, MONOTONIC, type Pauses, type Sort, type Throttle } from './throttle.ts';

/** What is needed of the configuration. */
export type GitHubConfig = Pick<
  Config,
  'githubApiUrl' | 'githubAppId' | 'githubPrivateKey' | 'githubWritesPerMinute'
>;

/** `owner/name`, as GitHub writes it. */
export interface Repo {
  readonly owner: string;
  readonly name: string;
  /** GitHub's own; where it is known, another repository of this name is not taken for it. */
  readonly id?: number;
}

export interface AppIdentity {
  readonly id: number;
  readonly slug: string;
  /** Author of the App's comments: `SLUG[bot]`. */
  readonly botLogin: string;
}

/** One installation of the App; every function of this folder takes it first. */
export interface GitHubClient {
  readonly octokit: Octokit;
  readonly app: AppIdentity;
  readonly installationId: number;
  /** May what people can do without be sent now, or is the rest of the budget for what must be said? */
  readonly spare: () => boolean;
  /** Of all installations. */
  readonly known: Known;
}

export interface GitHub {
  /** The client of an installation, made once. Throws `GitHubError`. */
  readonly installationClient: (installationId: number) => Promise<GitHubClient>;
  /** A token for `git fetch` (user `x-access-token`), valid for an hour at most, cached until shortly before. */
  readonly installationToken: (installationId: number) => Promise<Secret>;
  /** Those that are not suspended. Whoever asks means to look at what they allow now: tokens are made anew. */
  readonly installations: () => Promise<readonly number[]>;
  /** Asks GitHub to send again what the engine did not take; returns how many. Throws `GitHubError`. */
  readonly redeliverMissed: (nowMs: number) => Promise<number>;
  /** The installation that covers a repository, for work that no webhook started. */
  readonly installationOf: (repo: Repo) => Promise<number>;
  /** By GitHub's clock: to be compared with times of reviews and comments. */
  readonly now: () => Date;
  /** What GitHub's clock showed when this machine's showed that; epoch ms, both. */
  readonly timeOf: (ownMs: number) => number;
}

/** Activities retry durably, so one request is given up soon. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Retries within one call: after 0.3 s and 1.2 s (the plugin waits n squared times the base). */
const PLUGIN_RETRIES = 2;
const PLUGIN_RETRY_BASE_MS = 300;
const USER_AGENT = 'doaas';

export interface GitHubOptions {
  /** Asked for each time that the App must prove itself, so that another one needs no restart. */
  readonly key?: AppKey;
  /** Of an installation, or of the App itself: for how long GitHub wants nothing more, shared by all processes. */
  readonly pausesOf?: (whom: string) => Pauses;
  /** Hears of each request that GitHub would not serve now. */
  readonly onLimited?: () => void;
  /** Hears of each request that failed, also of those that are sent again at once. */
  readonly onFailed?: (type: GitHubErrorType) => void;
}

export function createGitHub(config: GitHubConfig, log: Logger, options: GitHubOptions = {}): GitHub {
  const {
    key = async () => config.githubPrivateKey,
    onLimited = () => undefined,
    onFailed = () => undefined,
  } = options;
  const clock = githubClock();
  const limited = (seconds: number): void => {
    onLimited();
    log.warn({ seconds }, 'GitHub limits the rate of requests; nothing more is sent until then');
  };
  const throttleFor = (whom: string, limits: Limits): Throttle =>
    createThrottle(limits, limited, MONOTONIC, options.pausesOf?.(`github ${whom}`));
  const parts = { config, key, log, clock, onFailed };
  const app = octokitFor({
    ...parts,
    throttle: throttleFor('app', appLimits(config.githubWritesPerMinute)),
  });
  const installations = new Map<number, Octokit>();
  const throttles = new Map<number, Throttle>();
  const identity = once(() => readIdentity(app));
  const redelivering = createRedelivering(log);
  const known = createKnown();

  const throttleOf = (installationId: number): Throttle => {
    const made = throttles.get(installationId);
    if (made !== undefined) return made;
    const limits = installationLimits(config.githubWritesPerMinute);
    const throttle = throttleFor(`installation ${installationId}`, limits);
    throttles.set(installationId, throttle);
    return throttle;
  };
  const octokitOf = (installationId: number): Octokit => {
    const made = installations.get(installationId);
    if (made !== undefined) return made;
    const octokit = octokitFor({ ...parts, throttle: throttleOf(installationId), installationId });
    const madeAt = performance.now();
    octokit.hook.wrap('request', async (send, request) => {
      const asked: number = request.request?.[ASKED] ?? performance.now();
      try {
        return await send(request);
      } catch (error) {
        if (!isForToken(error) || madeAt > asked) throw error;
        if (installations.get(installationId) === octokit) installations.delete(installationId);
        return octokitOf(installationId).request(askedAt(asked, request));
      }
    });
    installations.set(installationId, octokit);
    return octokit;
  };
  return {
    installationClient: async (installationId) => {
      const { spare } = throttleOf(installationId);
      return {
        // the present one, however long the client is kept
        get octokit() {
          return octokitOf(installationId);
        },
        app: await identity(),
        installationId,
        spare,
        known,
      };
    },
    installationToken: (installationId) => readToken(octokitOf(installationId)),
    installations: () =>
      calling('Listing the installations', async () => {
        const all = await readWhole(
          async (page) => (await app.apps.listInstallations({ per_page: PAGE_SIZE, page })).data,
        );
        // a token knows nothing of what was granted after it was made
        installations.clear();
        return all.filter((each) => !each.suspended_at).map((each) => each.id);
      }),
    redeliverMissed: (nowMs) => redelivering(app, nowMs),
    installationOf: (repo) =>
      calling(`Finding the installation of ${repo.owner}/${repo.name}`, async () => {
        const found = await app.apps.getRepoInstallation({ owner: repo.owner, repo: repo.name });
        return found.data.id;
      }),
    now: clock.now,
    timeOf: clock.timeOf,
  };
}

/** When a request was first sent (monotonic, ms), in what is sent again. */
const ASKED = 'asked';

/**
 * A token that GitHub ended, or that was made before a permission was granted, would be refused for the rest of its hour, in each process
 * that has one: only the refusal of one that was made after the request counts.
 */
function askedAt<T extends { readonly request?: object }>(asked: number, options: T): T {
  const { hook: _, ...request } = { hook: undefined, ...options.request };
  return { ...options, request: { ...request, [ASKED]: asked } };
}

interface ClientParts {
  readonly config: GitHubConfig;
  readonly key: AppKey;
  readonly throttle: Throttle;
  readonly log: Logger;
  readonly clock: GitHubClock;
  readonly onFailed: (type: GitHubErrorType) => void;
  /** Left out: the App itself. */
  readonly installationId?: number;
}

function octokitFor(parts: ClientParts): Octokit {
  const { config, key, throttle, log, clock, onFailed, installationId } = parts;
  // inside of retries, so that each try waits for its turn
  const EngineOctokit = Octokit.plugin((made) => throttled(made, throttle, onFailed), retry);
  const octokit = new EngineOctokit({
    authStrategy: createAppAuth,
    auth: {
      appId: config.githubAppId,
      createJwt: async (appId: string | number, timeDifference = 0) =>
        appJwt(appId, (await key()).reveal(), Math.floor(Date.now() / 1000) + timeDifference),
      ...(installationId === undefined ? {} : { installationId }),
    },
    baseUrl: config.githubApiUrl,
    userAgent: USER_AGENT,
    request: { fetch: fetchWithin(REQUEST_TIMEOUT_MS) },
    retry: { retries: PLUGIN_RETRIES, retryAfterBaseValue: PLUGIN_RETRY_BASE_MS, doNotRetry: DO_NOT_RETRY },
    log: quietLog(log),
  });
  // octokit shares this object between calls, so that one call's count of retries would slow the next one down
  octokit.hook.before('request', (options) => {
    options.request = { ...options.request, retryCount: 0 };
  });
  octokit.hook.after('request', ({ headers }) => clock.hear(headers.date));
  return octokit;
}

/** Answers that another try does not change; 409 and 429 are left to the caller. */
const DO_NOT_RETRY = [400, 401, 403, 404, 405, 409, 410, 422, 429, 451];

function throttled(
  octokit: Pick<Octokit, 'hook'>,
  throttle: Throttle,
  onFailed: ClientParts['onFailed'],
): object {
  // that of a token comes out of the request that needed it as well
  const heard = new WeakSet<object>();
  octokit.hook.wrap('request', (request, options) =>
    throttle.send(sortOf(options), async () => {
      try {
        return await request(options);
      } catch (error) {
        if (error instanceof Error && !(error instanceof GitHubError) && !heard.has(error)) {
          heard.add(error);
          onFailed(toGitHubError('', error).type);
        }
        throw error;
      }
    }),
  );
  return {};
}

function sortOf({ method, url }: { readonly method: string; readonly url: string }): Sort {
  if (method === 'GET' || method === 'HEAD') return 'read';
  return url.endsWith('/access_tokens') ? 'token' : 'write';
}

function fetchWithin(timeoutMs: number): typeof fetch {
  return (input, init) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    return fetch(input, { ...init, signal });
  };
}

/** octokit's own lines carry no bodies or tokens; errors reach the log once, through `GitHubError`. */
function quietLog(log: Logger) {
  const debug = (message: string) => log.debug({ from: 'octokit' }, message);
  return {
    debug,
    info: debug,
    warn: (message: string) => log.warn({ from: 'octokit' }, message),
    error: debug,
  };
}

function readIdentity(octokit: Octokit): Promise<AppIdentity> {
  return calling('Reading the App', async () => {
    const { data } = await octokit.apps.getAuthenticated();
    const slug = data?.slug ?? '';
    return Object.freeze({ id: data?.id ?? 0, slug, botLogin: `${slug}[bot]` });
  });
}

function readToken(octokit: Octokit): Promise<Secret> {
  return calling('Getting a token for git', async () => {
    const found: unknown = await octokit.auth({ type: 'installation' });
    const token = typeof found === 'object' && found !== null && 'token' in found ? found.token : undefined;
    if (typeof token !== 'string') throw new Error('no token in the answer');
    return secret(token);
  });
}

/** Keeps the first success; a failure is tried again by the next caller. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () => {
    kept ??= make().catch((error: unknown) => {
      kept = undefined;
      throw error;
    });
    return kept;
  };
}
