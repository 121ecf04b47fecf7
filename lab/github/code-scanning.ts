import { gunzipSync } from 'node:zlib';
import { answer, problem } from './answers.ts';
import type { ApiAnswer, LabContext } from './context.ts';
import { asJson, type Json, parseJson, textOf as textOrNot } from './json.ts';
import type { Route, RouteInput } from './routes.ts';
import { sarifProblems } from './sarif/schema.ts';

/**
 * Uploads for code scanning, as "SARIF support for code scanning" and "Upload an analysis as SARIF data" of GitHub's documentation tell
 * them: what is wrong with the request is refused at once, what is wrong with the file is said once it has been processed.
 */
export const CODE_SCANNING_ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/code-scanning\/sarifs$/, handle: upload },
  { method: 'GET', path: /^\/code-scanning\/sarifs\/([\w-]+)$/, handle: status },
  { method: 'GET', path: /^\/code-scanning\/analyses$/, handle: list },
];

export interface Analysis {
  readonly id: string;
  readonly createdAt: string;
  readonly commit: string;
  readonly ref: string;
  readonly sarif: Json;
  /** Why GitHub would show none of it; empty where it shows it. */
  readonly errors: readonly string[];
}

/** GitHub's limits of one file: compressed; runs; results and rules of a run; tags of a rule. */
export const SARIF_LIMITS = {
  gzipBytes: 10 * 1024 * 1024,
  runs: 20,
  results: 25_000,
  rules: 25_000,
  tags: 20,
} as const;

/** What a compressed file may unpack to here; GitHub names no such limit. Bytes. */
const UNPACKED_MAX = 512 * 1024 * 1024;

const DISABLED = 'Advanced Security must be enabled for this repository to use code scanning.';

function textOf(value: unknown): string {
  return textOrNot(value) ?? '';
}

async function upload({ context, repo, json }: RouteInput): Promise<ApiAnswer> {
  const { analyses, withoutCodeScanning } = context.state;
  if (withoutCodeScanning.has(repo.id)) return problem(403, DISABLED);
  const { commit_sha, ref, sarif } = asJson(json);
  const [commit, branch] = [textOf(commit_sha), textOf(ref)];
  if (!/^[0-9a-f]{40}$/.test(commit)) return problem(422, 'commit_sha is not a full SHA of a commit');
  if (!/^refs\/(heads|tags|pull)\/.+$/.test(branch)) return problem(422, 'ref is not a full Git reference');
  const packed = Buffer.from(textOf(sarif), 'base64');
  if (packed.byteLength > SARIF_LIMITS.gzipBytes) return problem(413, 'Payload Too Large');
  const log = unpacked(packed);
  if (log === undefined) return problem(400, 'Invalid SARIF. It is not gzip-compressed JSON in base64.');
  const known = analyses.get(repo.id) ?? [];
  const id = `${repo.id}-${known.length + 1}`;
  const errors = [...(await sarifProblems())(log), ...overLimits(log), ...notDocumented(log)];
  const createdAt = new Date().toISOString();
  analyses.set(repo.id, [...known, { id, createdAt, commit, ref: branch, sarif: log, errors }]);
  return answer(202, { id, url: `${context.baseUrl}/repos/${repo.full_name}/code-scanning/sarifs/${id}` });
}

function unpacked(packed: Buffer): Json | undefined {
  try {
    const log = parseJson(gunzipSync(packed, { maxOutputLength: UNPACKED_MAX }));
    return log === undefined ? undefined : asJson(log);
  } catch {
    return undefined;
  }
}

const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(asJson) : []);
const rulesOf = (run: Json): readonly Json[] => listOf(asJson(asJson(run.tool).driver).rules);

function overLimits(log: Json): readonly string[] {
  const runs = listOf(log.runs);
  const over = (what: string, count: number, limit: number) =>
    count > limit ? [`${count} ${what}, over the limit of ${limit}`] : [];
  return [
    ...over('runs', runs.length, SARIF_LIMITS.runs),
    ...runs.flatMap((run) => [
      ...over('results of a run', listOf(run.results).length, SARIF_LIMITS.results),
      ...over('rules of a run', rulesOf(run).length, SARIF_LIMITS.rules),
      ...rulesOf(run).flatMap((rule) => {
        const { tags } = asJson(rule.properties);
        return over('tags of a rule', Array.isArray(tags) ? tags.length : 0, SARIF_LIMITS.tags);
      }),
    ]),
  ];
}

/** What GitHub needs beyond the standard: texts of rules, and a place and a message of each result. */
function notDocumented(log: Json): readonly string[] {
  return listOf(log.runs).flatMap((run) => [
    ...rulesOf(run)
      .filter((rule) =>
        ['shortDescription', 'fullDescription', 'help'].some((name) => textIn(rule, name) === ''),
      )
      .map((rule) => `the rule ${textOf(rule.id)} has no texts`),
    ...listOf(run.results)
      .filter((result) => uriOf(result) === '' || textIn(result, 'message') === '')
      .map((result) => `a result of ${textOf(result.ruleId)} has no place or no message`),
  ]);
}

function textIn(value: Json, name: string): string {
  return textOf(asJson(value[name]).text);
}

function uriOf(result: Json): string {
  const [location] = listOf(result.locations);
  return textOf(asJson(asJson(asJson(location).physicalLocation).artifactLocation).uri);
}

async function status({ context, repo, params }: RouteInput): Promise<ApiAnswer> {
  const found = context.state.analyses.get(repo.id)?.find(({ id }) => id === params[0]);
  if (found === undefined) return problem(404, 'Not Found');
  const { errors } = found;
  if (isPending(context, repo.id)) return answer(200, { processing_status: 'pending' });
  const url = `${context.baseUrl}/repos/${repo.full_name}/code-scanning/analyses?sarif_id=${found.id}`;
  if (errors.length === 0) return answer(200, { processing_status: 'complete', analyses_url: url });
  return answer(200, { processing_status: 'failed', analyses_url: url, errors });
}

/** One look fewer is left of those that a test wants to be too early. */
function isPending({ state }: LabContext, repo: number): boolean {
  const left = state.pendingLooks.get(repo) ?? 0;
  state.pendingLooks.set(repo, left - 1);
  return left > 0;
}

/** Of one tool or all, and of one ref or all; the newest first. As GitHub, 404 where there is none at all. */
async function list({ context, repo, query }: RouteInput): Promise<ApiAnswer> {
  const { analyses, withoutCodeScanning } = context.state;
  if (withoutCodeScanning.has(repo.id)) return problem(403, DISABLED);
  const all = analyses.get(repo.id) ?? [];
  if (all.length === 0) return problem(404, 'no analysis found');
  const url = `${context.baseUrl}/repos/${repo.full_name}/code-scanning/analyses`;
  const [tool, ref] = [query.get('tool_name'), query.get('ref')];
  const rows = all
    .flatMap((analysis, i) => listOf(analysis.sarif.runs).map((run) => rowOf(analysis, run, i + 1, url)))
    .filter((row) => tool === null || row.tool.name === tool)
    .filter((row) => ref === null || row.ref === ref || row.ref === `refs/heads/${ref}`);
  return answer(200, rows.toReversed().slice(0, Number(query.get('per_page') ?? PAGE)));
}

/** Rows of a list, unless asked for otherwise. */
const PAGE = 30;

function rowOf({ id: sarif, createdAt, commit, ref, errors }: Analysis, run: Json, id: number, url: string) {
  const { name, semanticVersion } = asJson(asJson(run.tool).driver);
  const category = textOf(asJson(run.automationDetails).id);
  const error = errors.join('; ');
  return {
    ref,
    commit_sha: commit,
    analysis_key: '(default)',
    environment: '{}',
    category,
    error,
    created_at: createdAt,
    results_count: error === '' ? listOf(run.results).length : 0,
    rules_count: rulesOf(run).length,
    id,
    url: `${url}/${id}`,
    sarif_id: sarif,
    tool: { name: textOf(name), guid: null, version: textOf(semanticVersion) },
    deletable: true,
    warning: '',
  };
}
