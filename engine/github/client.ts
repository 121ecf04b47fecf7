import { createAppAuth } from '@octokit/auth-app';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import { Octokit } from '@octokit/rest';
import type { Config } from '../config/config.ts';
import { type Secret, secret } from '../config/secret.ts';
import type { Logger } from '../log.ts';
import { type AppKey, appJwt } from './appKey.ts';
import { calling } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import { readPages } from './pages.ts';
import { createRedelivering } from './redeliver.ts';
import { stopGroups, type ThrottleGroups, throttleGroups } from './throttle.ts';

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
}

export interface GitHub {
  /** The client of an installation, made once. Throws `GitHubError`. */
  readonly installationClient: (installationId: number) => Promise<GitHubClient>;
  /** A token for `git fetch` (user `x-access-token`), valid for an hour at most, cached until shortly before. */
  readonly installationToken: (installationId: number) => Promise<Secret>;
  /** Those that are not suspended. */
  readonly installations: () => Promise<readonly number[]>;
  /** Asks GitHub to send again what the engine did not take; returns how many. Throws `GitHubError`. */
  readonly redeliverMissed: (nowMs: number) => Promise<number>;
  /** The installation that covers a repository, for work that no webhook started. */
  readonly installationOf: (repo: Repo) => Promise<number>;
}

/** Activities retry durably, so one request is given up soon. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Retries within one call: after 0.3 s and 1.2 s (the plugin waits n squared times the base). */
const PLUGIN_RETRIES = 2;
const PLUGIN_RETRY_BASE_MS = 300;
/** A limit that ends within this time is waited for here; a longer one is left to the activity. Seconds. */
const SHORT_LIMIT_SECONDS = 2;
const USER_AGENT = 'doaas';

const EngineOctokit = Octokit.plugin(throttling, retry);

export interface GitHubOptions {
  /** Asked for each time that the App must prove itself, so that another one needs no restart. */
  readonly key?: AppKey;
  /** Hears of each request that GitHub would not serve now. */
  readonly onLimited?: () => void;
}

export function createGitHub(config: GitHubConfig, log: Logger, options: GitHubOptions = {}): GitHub {
  const { key = async () => config.githubPrivateKey, onLimited = () => undefined } = options;
  const now = steady(() => {
    const parts = { config, key, groups: throttleGroups(config.githubWritesPerMinute), log, onLimited };
    return { parts, app: octokitFor(parts), installations: new Map<number, Octokit>() };
  });
  const identity = once(() => readIdentity(now().app));
  const redelivering = createRedelivering(log);

  const octokitOf = (installationId: number) => {
    const { parts, installations } = now();
    const known = installations.get(installationId);
    if (known !== undefined) return known;
    const octokit = octokitFor({ ...parts, installationId });
    // a token that GitHub ended, as when the App is uninstalled, would be sent for the rest of its hour
    octokit.hook.error('request', (error) => {
      if ('status' in error && error.status === 401) installations.delete(installationId);
      throw error;
    });
    installations.set(installationId, octokit);
    return octokit;
  };
  return {
    installationClient: async (installationId) => {
      return { octokit: octokitOf(installationId), app: await identity(), installationId };
    },
    installationToken: (installationId) => readToken(octokitOf(installationId)),
    installations: () =>
      calling('Listing the installations', async () => {
        const all = await readPages(
          async (page) => (await now().app.apps.listInstallations({ per_page: PAGE_SIZE, page })).data,
        );
        return all.filter((each) => !each.suspended_at).map((each) => each.id);
      }),
    redeliverMissed: (nowMs) => redelivering(now().app, nowMs),
    installationOf: (repo) =>
      calling(`Finding the installation of ${repo.owner}/${repo.name}`, async () => {
        const found = await now().app.apps.getRepoInstallation({ owner: repo.owner, repo: repo.name });
        return found.data.id;
      }),
  };
}

interface Clients {
  readonly parts: ClientParts;
  readonly app: Octokit;
  readonly installations: Map<number, Octokit>;
}

/** Between the wall clock and the one that nobody sets. NTP corrects by less than this at once. */
const STEP_BACK_MS = 1000;
const LOOK_EVERY_MS = 5000;

/**
 * Bottleneck counts by the wall clock: set back by an hour, it would start nothing for an hour. Then all of it is made
 * anew; what waits in the old limiters is refused, and tried again by whoever asked.
 */
function steady(make: () => Clients): () => Clients {
  const offsetNow = (): number => Date.now() - performance.now();
  let offset = offsetNow();
  let clients = make();
  const current = (): Clients => {
    const before = offset;
    offset = offsetNow();
    if (offset < before - STEP_BACK_MS) {
      clients.parts.log.warn({ seconds: Math.round((before - offset) / 1000) }, 'the clock was set back');
      void stopGroups(clients.parts.groups);
      clients = make();
    }
    return clients;
  };
  // also when everything waits
  setInterval(current, LOOK_EVERY_MS).unref();
  return current;
}

interface ClientParts {
  readonly config: GitHubConfig;
  readonly key: AppKey;
  readonly groups: ThrottleGroups;
  readonly log: Logger;
  readonly onLimited: () => void;
  /** Left out: the App itself. */
  readonly installationId?: number;
}

function octokitFor({ config, key, groups, log, onLimited, installationId }: ClientParts): Octokit {
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
    throttle: {
      ...groups,
      id: String(installationId ?? 'app'),
      onRateLimit: limited(log, onLimited),
      onSecondaryRateLimit: limited(log, onLimited),
    },
    log: quietLog(log),
  });
  // octokit shares this object between calls, so that one call's count of retries would slow the next one down
  octokit.hook.before('request', (options) => {
    options.request = { ...options.request, retryCount: 0 };
  });
  return octokit;
}

/** Answers that another try does not change; 409 and 429 are left to the caller. */
const DO_NOT_RETRY = [400, 401, 403, 404, 405, 409, 410, 422, 429, 451];

function limited(log: Logger, onLimited: () => void) {
  return (
    retryAfterSeconds: number,
    request: { method: string; url: string },
    _: unknown,
    count: number,
  ): boolean => {
    onLimited();
    log.warn(
      { retryAfterSeconds, method: request.method, url: request.url },
      'GitHub limits the rate of requests',
    );
    return count < 1 && retryAfterSeconds <= SHORT_LIMIT_SECONDS;
  };
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
