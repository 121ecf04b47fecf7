import type { ApiAnswer, ApiCall, LabContext } from './context.ts';
import type { RepoRow, TokenUser } from './rows.ts';

/** A request of the API that the layer answers or completes itself. */
export interface RouteInput {
  readonly context: LabContext;
  readonly call: ApiCall;
  /** The captured groups of the route's path. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly repo: RepoRow;
  readonly user: TokenUser | undefined;
  /** Login of whoever calls; an App's is `SLUG[bot]`. */
  readonly actor: string;
  /** The JSON body, or undefined. */
  readonly json: unknown;
}

export interface Route {
  readonly method: string;
  /** After `/repos/OWNER/NAME`. */
  readonly path: RegExp;
  readonly handle: (input: RouteInput) => Promise<ApiAnswer>;
}
