import {
  annotationsOfFindings,
  type CheckAction,
  type CheckConclusion,
  type CheckView,
  publishCheck,
} from '../github/checks.ts';
import type { GitHubClient } from '../github/client.ts';
import { publishComment } from '../github/comment.ts';
import { isRefused } from '../github/errors.ts';
import { getPull } from '../github/pulls.ts';
import { type OverrideView, overrideNote } from '../github/render/override.ts';
import { render, renderComment } from '../github/render/render.ts';
import type { PlanName, View } from '../github/render/views.ts';
import type { Logger } from '../log.ts';
import type { PullRef } from './types.ts';

export type CheckState =
  | { readonly status: 'queued' | 'in_progress' }
  | { readonly status: 'completed'; readonly conclusion: CheckConclusion };

export interface Shown {
  readonly name: 'doaas/validate' | 'doaas/plan' | 'doaas/apply' | 'doaas/verify';
  readonly headSha: string;
  /** Stable for what is shown: a revision, or a run. */
  readonly externalId: string;
  readonly state: CheckState;
  readonly view: View | { readonly kind: 'words'; readonly title: string; readonly body: string };
  readonly actions?: readonly CheckAction[];
  /** Markdown below all else. */
  readonly text?: string;
  readonly digest?: string;
  /** Signed link to the whole plan. */
  readonly planUrl?: string | undefined;
  /** Said above the rest. */
  readonly override?: OverrideView | undefined;
}

/** Key of the one comment that is edited in place. */
const STICKY = 'pull-request';

export async function showCheck(client: GitHubClient, pull: PullRef, shown: Shown): Promise<void> {
  const { name, headSha, externalId, state, view, actions, text, digest, planUrl, override } = shown;
  const { title, body } = view.kind === 'words' ? view : render(view);
  await publishCheck(client, pull.repository, {
    name,
    headSha,
    externalId,
    state,
    title,
    summary: withOverride(override, body),
    ...annotated(view),
    ...(actions === undefined ? {} : { actions }),
    ...(text === undefined ? {} : { text }),
    ...(digest === undefined ? {} : { digest }),
    ...(planUrl === undefined ? {} : { detailsUrl: planUrl }),
  });
}

/** What a plan found stands at the lines that it is about. */
function annotated(view: Shown['view']): Pick<CheckView, 'annotations'> {
  if (view.kind !== 'plan') return {};
  return { annotations: annotationsOfFindings(view.plan.hosts.flatMap(({ findings }) => findings)) };
}

/** Above all else, so that it is read, and what is cut is cut below it. */
function withOverride(override: OverrideView | undefined, body: string): string {
  return override === undefined ? body : `${overrideNote(override)}\n\n${body}`;
}

/** What people can do without must not end what it is about; an outage is not a refusal, and still throws. */
export function ifAllowed(log: Logger, what: string, showing: Promise<void>): Promise<void> {
  return showing.catch((error: unknown) => {
    if (!isRefused(error)) throw error;
    log.warn({ reason: String(error) }, `GitHub refused ${what}`);
  });
}

export function planCheck(headSha: string) {
  return { name: 'doaas/plan' as const, headSha, externalId: `plan-${headSha}` };
}

/** Why nobody plans a head any more. */
export type Overtaken = 'pushed' | 'closed';

const NOT_PLANNED: Readonly<Record<Overtaken, { readonly title: string; readonly body: string }>> = {
  pushed: {
    title: 'Not planned: a newer commit was pushed meanwhile',
    body: 'The newest head is planned instead.',
  },
  closed: {
    title: 'Not planned: merged or closed before all servers could be read',
    body: 'Servers did not answer, as the comment says. What is merged is compared with them by the drift check; `doaas plan` does it now.',
  },
};

/** Else it would say for ever that it is reading servers, or that they do not answer. */
export function closeOvertaken(
  client: GitHubClient,
  pull: PullRef,
  headSha: string,
  by: Overtaken = 'pushed',
): Promise<void> {
  const state = { status: 'completed', conclusion: 'cancelled' } as const;
  const view = { kind: 'words', ...NOT_PLANNED[by] } as const;
  return showCheck(client, pull, { ...planCheck(headSha), state, view });
}

/** The one comment: what holds now, and folded below it what came before. */
export async function showComment(
  client: GitHubClient,
  pull: PullRef,
  now: View,
  before: readonly View[] = [],
  plan?: Pick<PlanName, 'digest' | 'url'>,
  override?: OverrideView,
): Promise<void> {
  const body = withOverride(override, renderComment(now, before));
  await publishComment(client, pull.repository, pull.number, {
    key: STICKY,
    body,
    ...(plan === undefined ? {} : { digest: plan.digest }),
    ...(plan?.url === undefined ? {} : { wholeUrl: plan.url }),
  });
}

/** Planning that a push has overtaken may end after the newer one: the comment belongs to the newest head. */
export async function showNewest(
  client: GitHubClient,
  pull: PullRef,
  headSha: string,
  view: View,
  plan?: Pick<PlanName, 'digest' | 'url'>,
): Promise<void> {
  const now = await getPull(client, pull.repository, pull.number);
  if (now.headSha === headSha) await showComment(client, pull, view, [], plan);
}
