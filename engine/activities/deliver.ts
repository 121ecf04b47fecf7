import type { Client } from '@temporalio/client';
import { helpText, parseCommand } from '../github/commands.ts';
import type { CheckActionRequested, CommentCreated, EngineEvent, EventOrigin } from '../github/events.ts';
import { pullWorkflowId, repositoryWorkflowId } from '../github/workflowIds.ts';
import type { CommandName, RepositoryRef, Request } from './types.ts';

/** All workflows and activities run on one queue, unless a site has its own workers. */
export const TASK_QUEUE = 'doaas';

/** The same shape as `PullEvent` of workflows/messages.ts, which only workflow code may import. */
type PullSignal =
  | { readonly kind: 'changed' }
  | { readonly kind: 'reviewed' }
  | { readonly kind: 'asked'; readonly request: Request }
  | { readonly kind: 'misspelt'; readonly request: Request; readonly text: string };

export interface Delivery {
  readonly temporal: Pick<Client, 'workflow'>;
  readonly botName: string;
  /** For webhooks that do not name their installation. */
  readonly installationOf: (repo: { readonly owner: string; readonly name: string }) => Promise<number>;
  /** Epoch ms. */
  readonly now: () => number;
  /** GitHub's id of this delivery. Stands beside the signal in the history, so that each can be found there. */
  readonly guid: string;
}

/** Makes an event durable: one `signalWithStart` for each pull request that it concerns. Nothing else happens here. */
export async function deliver(delivery: Delivery, event: EngineEvent): Promise<void> {
  const repository = await repositoryOf(delivery, event);
  switch (event.kind) {
    case 'pull-request-changed':
    case 'pull-request-closed':
      return signalPull(delivery, repository, event.number, { kind: 'changed' });
    case 'review-submitted':
      return signalPull(delivery, repository, event.number, { kind: 'reviewed' });
    case 'comment-created': {
      const signal = signalOfComment(delivery, event);
      return signal === undefined ? undefined : signalPull(delivery, repository, event.number, signal);
    }
    case 'check-action': {
      const request = requestOfButton(event.identifier, event.sender, event.headSha, delivery);
      if (request === undefined) return undefined;
      return signalAll(delivery, repository, pullsOfButton(event), { kind: 'asked', request });
    }
    case 'check-rerequested': {
      const request = requestOfButton('plan', event.sender, event.headSha, delivery);
      if (request === undefined) return undefined;
      return signalAll(delivery, repository, event.numbers, { kind: 'asked', request });
    }
    case 'branch-pushed':
      await delivery.temporal.workflow.signalWithStart('repository', {
        workflowId: repositoryWorkflowId(repository, event.branch),
        taskQueue: TASK_QUEUE,
        args: [repository],
        signal: 'branchPushed',
        signalArgs: [event.branch, delivery.guid],
      });
      return undefined;
  }
}

async function repositoryOf(
  delivery: Delivery,
  { repo, installationId }: EventOrigin,
): Promise<RepositoryRef> {
  return { ...repo, installationId: installationId ?? (await delivery.installationOf(repo)) };
}

/** GitHub names only open pull requests beside a check; the check of a run names its own, also once it is merged. */
function pullsOfButton({ numbers, externalId }: CheckActionRequested): readonly number[] {
  if (numbers.length > 0) return numbers;
  const number = /^pr(\d{1,10})-[0-9a-f]+$/.exec(externalId)?.[1];
  return number === undefined ? [] : [Number(number)];
}

async function signalAll(
  delivery: Delivery,
  repository: RepositoryRef,
  numbers: readonly number[],
  signal: PullSignal,
): Promise<void> {
  for (const number of numbers) await signalPull(delivery, repository, number, signal);
}

async function signalPull(
  delivery: Delivery,
  repository: RepositoryRef,
  number: number,
  signal: PullSignal,
): Promise<void> {
  const pull = { repository, number };
  await delivery.temporal.workflow.signalWithStart('pullRequest', {
    workflowId: pullWorkflowId(pull),
    taskQueue: TASK_QUEUE,
    args: [{ pull }],
    signal: 'pullEvent',
    signalArgs: [signal, delivery.guid],
  });
}

/** Undefined for a comment that is none of ours. */
function signalOfComment(delivery: Delivery, comment: CommentCreated): PullSignal | undefined {
  const parsed = parseCommand(comment.body, delivery.botName);
  const request = (command: CommandName, argument?: string): Request => ({
    command,
    ...(argument === undefined ? {} : { argument }),
    actor: comment.author,
    at: comment.createdAt,
    commentId: comment.commentId,
    headSha: undefined,
  });
  switch (parsed.kind) {
    case 'none':
      return undefined;
    case 'command':
      return { kind: 'asked', request: request(parsed.name, parsed.argument) };
    case 'wrong':
      return {
        kind: 'misspelt',
        request: request('help'),
        text: `${parsed.message}\n\n${helpText(delivery.botName)}`,
      };
  }
}

function requestOfButton(
  identifier: string,
  actor: string,
  headSha: string,
  { now, guid }: Pick<Delivery, 'now' | 'guid'>,
): Request | undefined {
  if (identifier !== 'apply' && identifier !== 'plan' && identifier !== 'rollback') return undefined;
  const at = new Date(now()).toISOString();
  return { command: identifier, actor, at, commentId: undefined, deliveryId: guid, headSha };
}
