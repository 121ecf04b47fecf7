import type { Finding } from '../plan/step.ts';
import type { SpecError } from '../spec/manifest.ts';
import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';
import * as limits from './limits.ts';
import { readPages } from './pages.ts';
import { cutMarkdown, cutText } from './render/cut.ts';
import { oneLine, visible } from './render/escape.ts';

export type CheckConclusion =
  | 'success'
  | 'failure'
  | 'neutral'
  | 'cancelled'
  | 'skipped'
  | 'timed_out'
  | 'action_required';

/** A check run as it should be. Identity: head SHA, name and external id. */
export interface CheckView {
  readonly name: string;
  readonly headSha: string;
  /** Ours, such as a run's id; the same for every publication of the same check. */
  readonly externalId: string;
  readonly state:
    | { readonly status: 'queued' | 'in_progress' }
    | { readonly status: 'completed'; readonly conclusion: CheckConclusion };
  readonly title: string;
  /** Markdown, cut to GitHub's limit. */
  readonly summary: string;
  readonly text?: string;
  readonly annotations?: readonly Annotation[];
  readonly actions?: readonly CheckAction[];
  /** Where the whole plan can be read; GitHub links it beside the check. */
  readonly detailsUrl?: string;
  /** Named in the note where something was cut. */
  readonly digest?: string;
}

export interface Annotation {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  /** Only where start and end are on one line, as GitHub demands. */
  readonly startColumn?: number;
  readonly endColumn?: number;
  readonly level: 'notice' | 'warning' | 'failure';
  readonly title: string;
  readonly message: string;
}

export interface CheckAction {
  readonly identifier: string;
  readonly label: string;
  readonly description: string;
}

/** The buttons that a check can show; a press comes back as the event `check-action` with the identifier. */
export const BUTTONS = {
  apply: { identifier: 'apply', label: 'Apply', description: 'Apply this plan to the servers' },
  plan: { identifier: 'plan', label: 'Plan again', description: 'Read the servers and plan again' },
  rollback: { identifier: 'rollback', label: 'Roll back', description: 'Put the servers back as they were' },
} as const satisfies Record<string, CheckAction>;

export interface PublishedCheck {
  readonly checkRunId: number;
  readonly url: string;
}

/**
 * Makes the check run so, creating it if it is not there. Safe to repeat. Annotations only grow on GitHub, so those that are there are not
 * sent again. Throws `GitHubError`.
 */
export async function publishCheck(
  client: GitHubClient,
  repo: Repo,
  check: CheckView,
): Promise<PublishedCheck> {
  const remembered = client.known.get(...nameOf(repo, check));
  const known = remembered ?? (await findCheck(client, repo, check));
  const first = batches(await missingAnnotations(client, repo, known, check.annotations ?? []));
  const published = await writeFirst(client, repo, check, known, first[0] ?? []);
  client.known.set(published.checkRunId, ...nameOf(repo, check));
  for (const batch of first.slice(1)) await update(client, repo, check, published.checkRunId, batch);
  return published;
}

/** Spec errors, and what is merely odd, as annotations on their exact place. */
export function annotationsOf(
  errors: readonly SpecError[],
  level: Annotation['level'] = 'failure',
): readonly Annotation[] {
  return errors.map(({ position, code, message }) => ({
    path: position.file,
    startLine: position.line,
    endLine: position.endLine,
    ...(position.line === position.endLine
      ? { startColumn: position.column, endColumn: position.endColumn }
      : {}),
    level,
    title: code,
    message,
  }));
}

/** Of what a plan found, what somebody should look at; the same about many servers once. */
export function annotationsOfFindings(findings: readonly Finding[]): readonly Annotation[] {
  const byPlace = new Map<string, { readonly error: SpecError; readonly severity: Finding['severity'] }>();
  for (const { severity, position, message, document } of findings) {
    if (position === undefined || severity === 'info') continue;
    const error = { kind: 'spec-error' as const, code: document, position, message, pointer: '' };
    byPlace.set(JSON.stringify([position, message]), { error, severity });
  }
  return [...byPlace.values()].flatMap(({ error, severity }) =>
    annotationsOf([error], severity === 'error' ? 'failure' : 'warning'),
  );
}

function nameOf({ owner, name, id }: Repo, check: CheckView) {
  return [id ?? `${owner}/${name}`, check.headSha, check.name, check.externalId] as const;
}

async function writeFirst(
  client: GitHubClient,
  repo: Repo,
  check: CheckView,
  known: number | undefined,
  batch: readonly Annotation[],
) {
  if (known === undefined) return create(client, repo, check, batch);
  try {
    return await update(client, repo, check, known, batch);
  } catch (error) {
    // GitHub has dropped the check run that was remembered
    if (!(error instanceof GitHubError) || error.type !== 'github-not-found') throw error;
    client.known.forget(...nameOf(repo, check));
    return create(client, repo, check, batch);
  }
}

function create(
  client: GitHubClient,
  repo: Repo,
  check: CheckView,
  batch: readonly Annotation[],
): Promise<PublishedCheck> {
  return calling(`Creating the check ${check.name}`, async () => {
    const { data } = await client.octokit.checks.create({
      owner: repo.owner,
      repo: repo.name,
      head_sha: check.headSha,
      ...fields(check, batch),
      // a retry inside the call could create a second one; the activity's retry looks first
      request: { retries: 0 },
    });
    return { checkRunId: data.id, url: data.html_url ?? '' };
  });
}

function update(
  client: GitHubClient,
  repo: Repo,
  check: CheckView,
  id: number,
  batch: readonly Annotation[],
): Promise<PublishedCheck> {
  return calling(`Updating the check ${check.name}`, async () => {
    const { data } = await client.octokit.checks.update({
      owner: repo.owner,
      repo: repo.name,
      check_run_id: id,
      ...fields(check, batch),
      // repeated annotations would be shown twice
      request: batch.length > 0 ? { retries: 0 } : {},
    });
    return { checkRunId: data.id, url: data.html_url ?? '' };
  });
}

function fields(check: CheckView, batch: readonly Annotation[]) {
  const note = limits.cutNote(check.digest, check.detailsUrl);
  const annotations = batch.length === 0 ? {} : { annotations: batch.map(annotationBody) };
  const text =
    check.text === undefined ? {} : { text: cutMarkdown(check.text, limits.CHECK_TEXT_MAX_BYTES, note) };
  return {
    name: check.name,
    external_id: check.externalId,
    ...check.state,
    ...(check.detailsUrl === undefined ? {} : { details_url: check.detailsUrl }),
    output: {
      title: oneLine(check.title, limits.CHECK_TITLE_MAX_CHARS),
      summary: cutMarkdown(check.summary, limits.CHECK_TEXT_MAX_BYTES, note),
      ...text,
      ...annotations,
    },
    actions: (check.actions ?? []).slice(0, limits.ACTIONS_MAX).map((action) => ({
      identifier: cutText(action.identifier, limits.ACTION_IDENTIFIER_MAX_CHARS),
      label: cutText(action.label, limits.ACTION_LABEL_MAX_CHARS),
      description: cutText(action.description, limits.ACTION_DESCRIPTION_MAX_CHARS),
    })),
  };
}

function annotationBody(annotation: Annotation) {
  const sameLine = annotation.startLine === annotation.endLine;
  const columns =
    sameLine && annotation.startColumn !== undefined && annotation.endColumn !== undefined
      ? { start_column: annotation.startColumn, end_column: annotation.endColumn }
      : {};
  return {
    path: annotation.path,
    start_line: annotation.startLine,
    end_line: Math.max(annotation.startLine, annotation.endLine),
    ...columns,
    annotation_level: annotation.level,
    title: oneLine(annotation.title, limits.CHECK_TITLE_MAX_CHARS),
    message: cutText(visible(annotation.message), limits.ANNOTATION_MESSAGE_MAX_CHARS),
  };
}

function batches(annotations: readonly Annotation[]): readonly (readonly Annotation[])[] {
  const size = limits.ANNOTATIONS_PER_REQUEST;
  const bounded = annotations.slice(0, limits.ANNOTATIONS_MAX);
  return Array.from({ length: Math.ceil(bounded.length / size) }, (_, i) =>
    bounded.slice(i * size, (i + 1) * size),
  );
}

/** Only our App's runs: another App may use the same name and external id. */
function findCheck(client: GitHubClient, repo: Repo, check: CheckView): Promise<number | undefined> {
  return calling(`Looking for the check ${check.name}`, async () => {
    const { data } = await client.octokit.checks.listForRef({
      owner: repo.owner,
      repo: repo.name,
      ref: check.headSha,
      check_name: check.name,
      app_id: client.app.id,
      filter: 'all',
      per_page: limits.PAGE_SIZE,
    });
    const ours = data.check_runs.filter((run) => run.app === null || run.app.id === client.app.id);
    return ours.find((run) => run.external_id === check.externalId)?.id;
  });
}

async function missingAnnotations(
  client: GitHubClient,
  repo: Repo,
  id: number | undefined,
  wanted: readonly Annotation[],
) {
  if (id === undefined || wanted.length === 0) return wanted;
  const there = await calling('Reading annotations', () =>
    readPages(async (page) => {
      const query = {
        owner: repo.owner,
        repo: repo.name,
        check_run_id: id,
        per_page: limits.PAGE_SIZE,
        page,
      };
      return (await client.octokit.checks.listAnnotations(query)).data;
    }),
  );
  const keys = new Set(there.map((a) => `${a.path}:${a.start_line}:${a.message}`));
  return wanted.filter((a) => !keys.has(`${a.path}:${a.startLine}:${annotationBody(a).message}`));
}
