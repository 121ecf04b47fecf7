import type { ApiCall } from './context.ts';
import { parseJson } from './json.ts';
import { loadDescription } from './openapi.ts';

/** Requests kept; the oldest go first. Violations are never dropped. */
const REQUESTS_KEPT = 20_000;

export interface RecordedRequest {
  readonly at: string;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly body: unknown;
  /** Undefined until answered; 0 for a connection cut on purpose. */
  status: number | undefined;
}

export interface Violation {
  readonly request: RecordedRequest;
  readonly problems: readonly string[];
}

export interface Recorder {
  readonly record: (call: ApiCall) => RecordedRequest;
  readonly requests: () => readonly RecordedRequest[];
  readonly violations: () => readonly Violation[];
}

/** Compares every request with GitHub's own description of its API. */
export async function createRecorder(): Promise<Recorder> {
  const description = await loadDescription();
  const requests: RecordedRequest[] = [];
  const violations: Violation[] = [];
  return {
    record: (call) => {
      const [path = '', query = ''] = call.path.split('?', 2);
      const body = parseJson(call.body);
      const at = new Date().toISOString();
      const request: RecordedRequest = { at, method: call.method, path: call.path, body, status: undefined };
      requests.push(request);
      if (requests.length > REQUESTS_KEPT) requests.shift();
      const problems = description.problems({
        method: call.method === 'HEAD' ? 'GET' : call.method,
        // where a client was led to from a former name
        path: path.replace(/^\/repositories\/\d+/, '/repos/owner/name'),
        query: new URLSearchParams(query),
        body,
      });
      if (problems.length > 0) violations.push({ request, problems });
      return request;
    },
    requests: () => requests,
    violations: () => violations,
  };
}
