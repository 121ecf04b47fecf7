import { Context } from '@temporalio/activity';
import { annotationsOf, type CheckView, publishCheck } from '../github/checks.ts';
import { code, prose } from '../github/render/escape.ts';
import { render } from '../github/render/render.ts';
import type { ValidateView } from '../github/render/views.ts';
import { RepositoryError } from '../repository/error.ts';
import type { SpecError } from '../spec/manifest.ts';
import type { Engine } from './engine.ts';
import type { ResolvedRevision } from './revisions.ts';
import { showCheck, showComment } from './show.ts';
import { elsewhereOf } from './sites.ts';
import type { PullRef, Revision, ValidateOutcome } from './types.ts';
import { unpinnedErrors } from './unpinned.ts';

/** Publishes `doaas/validate`: errors on their exact lines, or why the repository cannot be read at all. */
export async function validatePull(
  engine: Engine,
  pull: PullRef,
  revision: Revision,
  fork = false,
): Promise<ValidateOutcome> {
  const client = await engine.github.installationClient(pull.repository.installationId);
  const resolved = await engine.revisions.resolve(pull, revision).catch(unreadable);
  if (resolved.kind === 'unreadable') {
    await showCheck(client, pull, {
      ...validateCheck(revision, false),
      view: { kind: 'words', title: 'The repository cannot be read', body: resolved.reason },
    });
    return { kind: 'invalid', errors: 1 };
  }
  if (resolved.kind === 'conflict') {
    await showCheck(client, pull, { ...validateCheck(revision, false), view: conflictWords(resolved.paths) });
    return { kind: 'conflict' };
  }
  const errors = [...resolved.errors, ...(await unpinnedErrors(engine, pull, resolved))];
  const view = validateView(resolved, errors, fork);
  await publishCheck(client, pull.repository, {
    ...validateCheck(revision, errors.length === 0),
    ...rendered(view),
  });
  if (errors.length > 0) {
    await showComment(client, pull, view);
    return { kind: 'invalid', errors: errors.length };
  }
  const { treeSha, changed } = resolved;
  return { kind: 'valid', treeSha, hosts: changed.map((host) => host.name), ...elsewhereOf(engine, changed) };
}

type Readable = Extract<ResolvedRevision, { kind: 'resolved' }>;

function validateView(resolved: Readable, errors: readonly SpecError[], fork: boolean): ValidateView {
  return {
    kind: 'validate',
    errors,
    warnings: newWarnings(resolved),
    documents: resolved.documents,
    hosts: resolved.merged.hosts.length,
    leftOut: resolved.refused,
    fork,
  };
}

/** Errors and warnings stand at their lines. */
function rendered(view: ValidateView): Pick<CheckView, 'title' | 'summary' | 'annotations'> {
  const { title, body } = render(view);
  const annotations = [...annotationsOf(view.errors), ...annotationsOf(view.warnings ?? [], 'warning')];
  return { title, summary: body, annotations };
}

/** Those that the base has as well would be said in every pull request. */
function newWarnings({ merged, base }: Readable): readonly SpecError[] {
  const key = ({ position, message }: SpecError) => JSON.stringify([position.file, message]);
  const known = new Set((base.warnings ?? []).map(key));
  return (merged.warnings ?? []).filter((warning) => !known.has(key(warning)));
}

export interface Unreadable {
  readonly kind: 'unreadable';
  readonly reason: string;
}

/** What no other try changes. */
const FOR_GOOD = new Set(['too-large', 'bad-argument']);
/** What may pass: GitHub's git servers can lag behind its API, and an installation can be about to change. */
const FOR_LONG = new Set(['repository-not-found', 'repository-denied', 'commit-not-found', 'git-failed']);
/** Tries before what may pass is said, instead of waited for. */
const PATIENCE_ATTEMPTS = 5;

/** Waiting without a word would leave the author without an answer; the rest is tried again by Temporal. */
export function unreadable(error: unknown): Unreadable {
  const type = error instanceof RepositoryError ? error.type : '';
  const patient = Context.current().info.attempt < PATIENCE_ATTEMPTS;
  if (!(error instanceof Error) || !(FOR_GOOD.has(type) || (FOR_LONG.has(type) && !patient))) throw error;
  return {
    kind: 'unreadable',
    reason: `${prose(error.message)} Once that is mended without a push, say \`/doaas plan\`.`,
  };
}

function validateCheck({ headSha, baseSha }: Revision, good: boolean) {
  return {
    name: 'doaas/validate' as const,
    headSha,
    externalId: `validate-${headSha}-${baseSha}`,
    state: { status: 'completed' as const, conclusion: good ? ('success' as const) : ('failure' as const) },
  };
}

function conflictWords(paths: readonly string[]) {
  const files = paths
    .slice(0, 20)
    .map((path) => code(path))
    .join(', ');
  return {
    kind: 'words' as const,
    title: 'This branch conflicts with its base',
    body: `What is planned is the merge of both, and git cannot make it: ${files}. Merge the base into the branch, then push.`,
  };
}
