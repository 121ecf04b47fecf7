import { answer, ok, problem } from './answers.ts';
import type { ApiAnswer, LabContext } from './context.ts';
import { callEmulator } from './internal.ts';
import { asJson, isJson, type Json, parseJson, textOf } from './json.ts';
import { completeCheckRun } from './payloads.ts';
import { amend } from './pull-routes.ts';
import type { Route, RouteInput } from './routes.ts';
import type { Annotation, CheckAction } from './rows.ts';

export const CHECK_ROUTES: readonly Route[] = [
  { method: 'POST', path: /^\/check-runs$/, handle: writeRun },
  { method: 'PATCH', path: /^\/check-runs\/(\d+)$/, handle: writeRun },
  { method: 'GET', path: /^\/check-runs\/(\d+)$/, handle: (input) => withRuns(input) },
  { method: 'GET', path: /^\/check-runs\/(\d+)\/annotations$/, handle: listAnnotations },
  { method: 'GET', path: /^\/commits\/.+\/check-runs$/, handle: (input) => withRuns(input) },
  { method: 'GET', path: /^\/commits\/([0-9a-f]{40})\/statuses$/, handle: listStatuses },
  { method: 'GET', path: /^\/check-suites\/\d+\/check-runs$/, handle: (input) => withRuns(input) },
];

export function appJson(context: LabContext): Json {
  const { id, slug, name } = context.app;
  const row = context.store.apps.findOneBy('slug', slug);
  return {
    id,
    slug,
    node_id: `A_${id}`,
    owner: { login: context.admin.login, id: 1, type: 'Organization' },
    name,
    description: '',
    external_url: `${context.baseUrl}/apps/${slug}`,
    html_url: `${context.baseUrl}/apps/${slug}`,
    created_at: row?.created_at,
    updated_at: row?.updated_at,
    permissions: row?.permissions,
    events: row?.events,
  };
}

/** Only Apps write check runs. Annotations are added to those of earlier requests. */
async function writeRun(input: RouteInput): Promise<ApiAnswer> {
  if (input.user?.installation === undefined) {
    return problem(403, 'You must authenticate via a GitHub App.');
  }
  const { checkRuns } = input.context.store;
  const before = input.params[0] === undefined ? undefined : checkRuns.get(Number(input.params[0]));
  const written = await callEmulator(input.context, input.call);
  if (!ok(written)) return written;
  const run = checkRuns.get(Number(asJson(parseJson(written.body)).id));
  if (run !== undefined) {
    const given = asJson(asJson(input.json).output).annotations;
    const added = Array.isArray(given) ? given.map(annotationOf) : [];
    const annotations = [...(before?.output.annotations ?? []), ...added];
    checkRuns.update(run.id, {
      output: { ...run.output, annotations, annotations_count: annotations.length },
      ...actionsOf(asJson(input.json).actions),
    });
  }
  return amend(written, (json) => completeRun(input, json));
}

/** The emulator knows buttons by `id`; GitHub's name is `identifier`. */
function actionsOf(given: unknown): { actions?: CheckAction[] } {
  if (!Array.isArray(given)) return {};
  const text = (value: unknown) => textOf(value) ?? '';
  const actions = given.map(asJson).map((action) => ({
    identifier: text(action.identifier),
    label: text(action.label),
    description: text(action.description),
  }));
  return { actions };
}

function annotationOf(value: unknown): Annotation {
  const given = asJson(value);
  const number = (field: string) => (typeof given[field] === 'number' ? { [field]: given[field] } : {});
  const text = (field: string) => (typeof given[field] === 'string' ? { [field]: given[field] } : {});
  return {
    path: textOf(given.path) ?? '',
    start_line: Number(given.start_line),
    end_line: Number(given.end_line),
    annotation_level: textOf(given.annotation_level) ?? 'notice',
    message: textOf(given.message) ?? '',
    ...number('start_column'),
    ...number('end_column'),
    ...text('title'),
    ...text('raw_details'),
  };
}

function completeRun({ context, repo }: RouteInput, run: Json): Json {
  const { store, state } = context;
  const { forks, textsBefore } = state;
  const parts = { store, app: appJson(context), forks, textsBefore };
  const completed = completeCheckRun(parts, repo.id, run);
  const row = store.checkRuns.get(Number(run.id));
  const other = state.otherRuns.get(Number(run.id));
  const app = other === undefined ? {} : { app: other };
  return {
    ...completed,
    ...app,
    output: { ...asJson(completed.output), annotations_count: row?.output.annotations_count },
  };
}

async function withRuns(input: RouteInput): Promise<ApiAnswer> {
  const found = await callEmulator(input.context, input.call);
  return amend(found, (json) => {
    if (!Array.isArray(json.check_runs)) return completeRun(input, json);
    return { ...json, check_runs: json.check_runs.filter(isJson).map((run) => completeRun(input, run)) };
  });
}

/** The newest first. */
async function listStatuses({ context, repo, params, query }: RouteInput): Promise<ApiAnswer> {
  const statuses = context.state.statuses.get(`${repo.id}:${params[0]}`) ?? [];
  const page = Math.max(1, Number(query.get('page') ?? 1));
  const size = Math.min(100, Number(query.get('per_page') ?? 30));
  return answer(200, statuses.slice((page - 1) * size, page * size));
}

/** GitHub gives a plain list, with columns and titles. */
async function listAnnotations(input: RouteInput): Promise<ApiAnswer> {
  const found = await callEmulator(input.context, input.call);
  const run = input.context.store.checkRuns.get(Number(input.params[0]));
  if (!ok(found) || run === undefined) return found;
  const page = Math.max(1, Number(input.query.get('page') ?? 1));
  const size = Math.min(100, Number(input.query.get('per_page') ?? 30));
  const annotations = run.output.annotations.slice((page - 1) * size, page * size);
  const empty = { start_column: null, end_column: null, title: null, raw_details: null };
  const blob = `${input.context.baseUrl}/${input.repo.full_name}/blob/${run.head_sha}`;
  return answer(
    200,
    annotations.map((annotation) => ({ ...empty, blob_href: `${blob}/${annotation.path}`, ...annotation })),
  );
}
