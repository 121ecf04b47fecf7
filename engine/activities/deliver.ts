import type { Client } from '@temporalio/client';
import { helpText, type ParsedCommand, parseCommand } from '../github/commands.ts';
import type {
  CheckActionRequested,
  CommentCreated,
  EngineEvent,
  EventOrigin,
  IssueCommented,
  MergeGroupMade,
  PullRequestChanged,
  Sender,
} from '../github/events.ts';
import { recordName, repositoryWorkflowId } from '../github/workflowIds.ts';
import type { PushedBranch, StoredPush } from '../store/pushes.ts';
import type { Store } from '../store/store.ts';
import { issueRequestOf, onPull } from './issueRequests.ts';
import { signalPull, TASK_QUEUE } from './signalPull.ts';
import { startOnce } from './startOnce.ts';
import type { CommandName, PullEvent, RepositoryRef, Request } from './types.ts';

export interface Delivery {
  readonly temporal: Pick<Client, 'workflow'>;
  /** The repository of an event, called and reached as it is now. */
  readonly locate: (origin: EventOrigin) => Promise<RepositoryRef>;
  /** Keeps who pushed. */
  readonly pushed: Store['pushes']['add'];
  /** Open pull requests with this head, as far as they were seen. */
  readonly headedBy: (repository: RepositoryRef, headSha: string) => Promise<readonly number[]>;
  /** When it came, epoch ms by GitHub's clock: a button is judged by the time of its press, however long it waited. */
  readonly receivedAt: number;
  /** GitHub's id of this delivery. Stands beside the signal in the history, so that each can be found there. */
  readonly guid: string;
}

/**
 * Gives an event to Temporal: one `signalWithStart` for each pull request that it concerns. Doing so twice does no harm: hints only
 * make workflows look, and what somebody asked for is known by its comment or delivery.
 */
export async function deliver(delivery: Delivery, event: EngineEvent): Promise<void> {
  if (event.kind === 'access-changed') return startSweep(delivery, event.what);
  const push = pushOf(event);
  // before the workflow hears of it, so that it is judged by it
  if (push !== undefined) await delivery.pushed(push, [push]);
  const repository = await delivery.locate(event);
  switch (event.kind) {
    case 'pull-request-changed':
      return signalOne(delivery, repository, event.number, changed(event));
    case 'pull-request-closed':
      return signalOne(delivery, repository, event.number, { kind: 'changed' });
    case 'review-submitted':
      return signalOne(delivery, repository, event.number, { kind: 'reviewed' });
    case 'comment-created': {
      const signal = signalOfComment(event);
      return signal === undefined ? undefined : signalOne(delivery, repository, event.number, signal);
    }
    case 'notice-changed': {
      const { number, kind, notice, change, sender: by, commentId } = event;
      const where = commentId === undefined ? {} : { commentId };
      return signalOne(delivery, repository, number, { kind, by, notice, change, ...where });
    }
    case 'issue-commented':
      return startIssueRequest(delivery, repository, event);
    case 'check-action': {
      const request = requestOfButton(event.identifier, event.sender, event.headSha, delivery);
      if (request === undefined) return undefined;
      const numbers = await pullsOf(delivery, repository, { ...event, numbers: pullsOfButton(event) });
      return signalAll(delivery, repository, numbers, { kind: 'asked', request });
    }
    case 'check-rerequested': {
      const request = requestOfButton('plan', event.sender, event.headSha, delivery);
      if (request === undefined) return undefined;
      const numbers = await pullsOf(delivery, repository, event);
      return signalAll(delivery, repository, numbers, { kind: 'asked', request });
    }
    case 'checks-completed':
      return signalAll(delivery, repository, await pullsOf(delivery, repository, event), { kind: 'checked' });
    case 'merge-group-made':
      await startGroup(delivery, repository, event);
      return undefined;
    case 'branch-pushed':
      return signalBranch(delivery, repository, event.branch);
    case 'default-branch-changed':
      for (const branch of [event.from, event.to]) await signalBranch(delivery, repository, branch);
      return undefined;
  }
}

/** All that goes into the branch looks at it. */
async function signalBranch(
  { temporal, guid }: Delivery,
  repository: RepositoryRef,
  branch: string,
): Promise<void> {
  await temporal.workflow.signalWithStart('repository', {
    workflowId: repositoryWorkflowId(repository, branch),
    taskQueue: TASK_QUEUE,
    args: [repository],
    signal: 'branchPushed',
    signalArgs: [branch, guid],
  });
}

/** What an event tells of who pushed, to a branch of this repository or of a fork. */
function pushOf(event: EngineEvent): (PushedBranch & StoredPush) | undefined {
  if (event.kind === 'branch-pushed') {
    const { repositoryId, branch, before, sha: after, pushedBy } = event;
    return toldPush({ repositoryId, branch, before, after }, pushedBy);
  }
  if (event.kind !== 'pull-request-changed' || event.action !== 'synchronize') return undefined;
  const { headRepositoryId: repositoryId, headRef: branch, before, headSha: after, sender } = event;
  return toldPush({ repositoryId, branch, before, after }, sender);
}

interface Told {
  readonly repositoryId: number | undefined;
  readonly branch: string;
  readonly before: string | undefined;
  readonly after: string;
}

/** Undefined where an event does not say all; then GitHub is asked when it matters. */
function toldPush({ repositoryId, branch, before, after }: Told, by: Sender | undefined) {
  if (repositoryId === undefined || before === undefined || by?.id === undefined) return undefined;
  return { repositoryId, branch, before, after, account: { login: by.login, id: by.id } };
}

/** Who pushed is told here only; later GitHub knows authors and committers of commits, which anybody may write. */
function changed({ action, sender }: PullRequestChanged): PullEvent {
  const pushed = action === 'opened' || action === 'synchronize';
  return pushed && sender !== undefined ? { kind: 'changed', pushedBy: sender } : { kind: 'changed' };
}

/** One workflow a group, however often GitHub tells of it. */
function startGroup(
  { temporal }: Delivery,
  repository: RepositoryRef,
  { headSha, baseSha, baseRef }: MergeGroupMade,
): Promise<void> {
  return startOnce(temporal, 'mergeGroup', {
    workflowId: `merge-group:${recordName(repository)}:${headSha}`.toLowerCase(),
    args: [repository, { headSha, baseSha, baseRef }],
  });
}

/** One workflow a comment: a redelivered one does nothing twice. */
async function startIssueRequest(
  { temporal }: Delivery,
  repository: RepositoryRef,
  event: IssueCommented,
): Promise<void> {
  const request = issueRequestOf(event);
  if (request === undefined) return;
  const { number, commentId } = event;
  await startOnce(temporal, 'issueRequest', {
    workflowId: `issue-request:${recordName(repository)}#${number}:${commentId}`.toLowerCase(),
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    args: [{ repository, number }, request],
  });
}

/** Whatever it was: the sweep reads from GitHub what the App reaches, and looks at what was not seen so. */
function startSweep({ temporal, guid }: Delivery, what: string): Promise<void> {
  return startOnce(temporal, 'sweep', { workflowId: `sweep:${what}:${guid}`, args: [] });
}

/** GitHub names none beside a status, nor beside the checks of a fork's head; who waits for them was looked at before. */
async function pullsOf(
  { headedBy }: Delivery,
  repository: RepositoryRef,
  { numbers, headSha }: { readonly numbers: readonly number[]; readonly headSha: string },
): Promise<readonly number[]> {
  return numbers.length > 0 ? numbers : headedBy(repository, headSha);
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
  signal: PullEvent,
): Promise<void> {
  for (const number of numbers) await signalOne(delivery, repository, number, signal);
}

function signalOne(
  { temporal, guid }: Delivery,
  repository: RepositoryRef,
  number: number,
  signal: PullEvent,
): Promise<void> {
  return signalPull(temporal, { repository, number }, signal, guid);
}

/** Undefined for a comment that is none of ours. */
function signalOfComment(comment: CommentCreated): PullEvent | undefined {
  const parsed = onPull(parseCommand(comment.body));
  const request = (command: CommandName, argument?: string, headSha?: string): Request => ({
    command,
    ...(argument === undefined ? {} : { argument }),
    actor: comment.author,
    at: comment.createdAt,
    commentId: comment.commentId,
    headSha,
  });
  switch (parsed.kind) {
    case 'none':
      return undefined;
    case 'command':
      return {
        kind: 'asked',
        request: { ...request(parsed.name, parsed.argument, shaOf(parsed)), ...overrideOf(parsed) },
      };
    case 'wrong':
      return {
        kind: 'misspelt',
        request: request('help'),
        text: `${parsed.message}\n\n${helpText()}`,
      };
  }
}

type Command = Extract<ParsedCommand, { kind: 'command' }>;

function shaOf({ name, argument }: Pick<Command, 'name' | 'argument'>): string | undefined {
  return name === 'plan' || name === 'apply' ? argument : undefined;
}

function overrideOf({ override }: Pick<Command, 'override'>): Pick<Request, 'override'> {
  return override === undefined ? {} : { override };
}

function requestOfButton(
  identifier: string,
  actor: string,
  headSha: string,
  { receivedAt, guid }: Pick<Delivery, 'receivedAt' | 'guid'>,
): Request | undefined {
  if (identifier !== 'apply' && identifier !== 'plan' && identifier !== 'rollback') return undefined;
  const at = new Date(receivedAt).toISOString();
  return { command: identifier, actor, at, commentId: undefined, deliveryId: guid, headSha };
}
