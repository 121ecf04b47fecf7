export interface FaultResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** `drop` cuts the connection without an answer; `delayMs` answers late, `until` once that has come. */
export type FaultEffect =
  | FaultResponse
  | 'drop'
  | { readonly delayMs: number }
  | { readonly until: Promise<unknown> };

export interface Fault {
  readonly method?: string;
  /** Matched against the path with its query, without `/api/v3`. */
  readonly path?: RegExp;
  /** How many requests it hits. */
  readonly times: number;
  readonly respond: FaultEffect;
  /** Act on the request first and only then answer so: the effect happened, the answer is lost. */
  readonly afterEffect?: boolean;
}

export interface Faults {
  readonly add: (fault: Fault) => void;
  readonly clear: () => void;
  /** The fault that hits this request, counted. */
  readonly take: (method: string, path: string) => Fault | undefined;
}

export function createFaults(): Faults {
  let active: { readonly fault: Fault; left: number }[] = [];
  return {
    add: (fault) => {
      active.push({ fault, left: fault.times });
    },
    clear: () => {
      active = [];
    },
    take: (method, path) => {
      const found = active.find(
        ({ fault, left }) =>
          left > 0 &&
          (fault.method ?? method) === method &&
          (fault.path === undefined || fault.path.test(path)),
      );
      if (found === undefined) return undefined;
      found.left -= 1;
      return found.fault;
    },
  };
}

/** GitHub's secondary rate limit, as it answers it: 403 with `retry-after` in seconds. */
export function secondaryRateLimit(retryAfterSeconds: number): FaultResponse {
  return {
    status: 403,
    headers: { 'retry-after': String(retryAfterSeconds) },
    body: {
      message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
      documentation_url:
        'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits',
    },
  };
}

/** GitHub's primary rate limit: 403, nothing remaining, reset at a time in seconds since 1970. */
export function primaryRateLimit(resetAtSeconds: number): FaultResponse {
  return {
    status: 403,
    headers: {
      'x-ratelimit-limit': '5000',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(resetAtSeconds),
    },
    body: {
      message: 'API rate limit exceeded for installation.',
      documentation_url: 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api',
    },
  };
}

/** GitHub's answers to a merge while another one into the same branch, or the same one, is under way: they pass. */
export const MERGE_BUSY = [
  'Base branch was modified. Review and try the merge again.',
  'Merge already in progress',
].map((message) => ({ status: 405, body: { message } })) satisfies readonly FaultResponse[];
