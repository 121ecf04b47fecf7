import type { Repo } from './client.ts';
import { NOTICE } from './comment.ts';
import type { EventOrigin, PullAction, ReviewSubmitted, Sender } from './events.ts';
import { mapCheckRun, mapCheckSuite, mapStatus } from './map-checks.ts';
import {
  event,
  ignored,
  type Mapped,
  type Mapper,
  type MappingOptions,
  type Payload,
  senderOf,
} from './mapping.ts';
import { anyText, at, flag, isObject, number, optional, text } from './payload.ts';

/** Of the name of an event. Characters. */
const NAME_SHOWN = 64;

/** A comment's command stands near its top; histories stay small. Characters. */
const BODY_MAX = 8192;

/** Pure. `payload` is the parsed body of a verified delivery. Never throws: what it does not understand is ignored with the reason. */
export function mapEvent(name: string, payload: unknown, options: MappingOptions): Mapped {
  if (!isObject(payload)) return ignored('the payload is not an object');
  if (Object.hasOwn(ACCESS, name) && !isEdited(name, payload)) return mapAccess(name, payload.action);
  const repo = repoOf(payload);
  if (repo === undefined) return ignored(`${name.slice(0, NAME_SHOWN)} without a repository`);
  const id = at(payload, 'repository', 'id');
  const repositoryId = typeof id === 'number' && Number.isSafeInteger(id) ? { repositoryId: id } : {};
  const mapper = Object.hasOwn(MAPPERS, name) ? MAPPERS[name] : undefined;
  if (mapper === undefined) return ignored(`event ${name.slice(0, NAME_SHOWN)} is not used`);
  try {
    const installationId = optional(number, at(payload, 'installation', 'id'));
    return mapper(payload, { repo, ...repositoryId, installationId }, options);
  } catch (error) {
    return ignored(
      `${name} is not as GitHub describes it: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

const MAPPERS: Readonly<Record<string, Mapper>> = {
  pull_request: mapPull,
  pull_request_review: mapReview,
  issue_comment: mapComment,
  check_run: mapCheckRun,
  check_suite: mapCheckSuite,
  status: mapStatus,
  push: mapPush,
  merge_group: mapMergeGroup,
  repository: mapSettings,
};

/** Actions after which the App reaches more or less than before, or the same by another name. */
const ACCESS: Readonly<Record<string, readonly string[]>> = {
  repository: ['renamed', 'transferred', 'archived', 'unarchived', 'deleted', 'privatized', 'publicized'],
  installation: ['created', 'deleted', 'suspend', 'unsuspend', 'new_permissions_accepted'],
  installation_repositories: ['added', 'removed'],
};

/** Names of the events that are acted upon. */
export const EVENTS: readonly string[] = [...new Set([...Object.keys(MAPPERS), ...Object.keys(ACCESS)])];

function mapAccess(name: string, action: unknown): Mapped {
  // of what strangers send not even that can be made text
  const said = typeof action === 'string' ? action : 'without an action';
  if (ACCESS[name]?.includes(said) !== true)
    return ignored(`${name}.${said.slice(0, 40)} changes nothing for us`);
  return event({ kind: 'access-changed', what: `${name}.${said}` });
}

function isEdited(name: string, { action }: Payload): boolean {
  return name === 'repository' && action === 'edited';
}

/** Of the settings of a repository only one is of interest. */
function mapSettings(payload: Payload, of: EventOrigin): Mapped {
  const from = optional(text, at(payload, 'changes', 'default_branch', 'from'));
  if (from === undefined) return ignored('the default branch is the same');
  return event({
    ...of,
    kind: 'default-branch-changed',
    from,
    to: text(at(payload, 'repository', 'default_branch')),
  });
}

const PULL_ACTIONS: Readonly<Record<string, PullAction>> = {
  opened: 'opened',
  reopened: 'reopened',
  synchronize: 'synchronize',
  edited: 'edited',
  ready_for_review: 'ready-for-review',
  converted_to_draft: 'converted-to-draft',
};

function mapPull(payload: Payload, of: EventOrigin): Mapped {
  const action = text(payload.action);
  const pull = at(payload, 'pull_request');
  const common = {
    ...of,
    number: number(at(pull, 'number')),
    headSha: text(at(pull, 'head', 'sha')),
    baseRef: text(at(pull, 'base', 'ref')),
  };
  if (action === 'closed') {
    const merged = flag(at(pull, 'merged'));
    const mergeSha = merged ? optional(text, at(pull, 'merge_commit_sha')) : undefined;
    return event({ ...common, kind: 'pull-request-closed', merged, mergeSha, sender: senderOf(payload) });
  }
  const known = Object.hasOwn(PULL_ACTIONS, action) ? PULL_ACTIONS[action] : undefined;
  if (known === undefined) return ignored(`pull_request.${action} changes nothing for us`);
  if (action === 'edited' && at(payload, 'changes', 'base') === undefined)
    return ignored('only the text of the pull request was edited');
  const before = action === 'synchronize' ? optional(text, payload.before) : undefined;
  return event({
    ...common,
    kind: 'pull-request-changed',
    action: known,
    headRef: text(at(pull, 'head', 'ref')),
    baseSha: text(at(pull, 'base', 'sha')),
    fork: at(pull, 'head', 'repo', 'id') !== at(pull, 'base', 'repo', 'id'),
    author: text(at(pull, 'user', 'login')),
    draft: optional(flag, at(pull, 'draft')) ?? false,
    state: at(pull, 'state') === 'open' ? 'open' : 'closed',
    ...senderAccount(payload),
    ...headRepository(pull),
    ...(before === undefined ? {} : { before }),
  });
}

function headRepository(pull: unknown) {
  const id = optional(number, at(pull, 'head', 'repo', 'id'));
  return id === undefined ? {} : { headRepositoryId: id };
}

const REVIEW_STATES: Readonly<Record<string, ReviewSubmitted['state']>> = {
  approved: 'approved',
  changes_requested: 'changes-requested',
  commented: 'commented',
  dismissed: 'dismissed',
};

function mapReview(payload: Payload, of: EventOrigin): Mapped {
  const given = text(at(payload, 'review', 'state')).toLowerCase();
  const state = Object.hasOwn(REVIEW_STATES, given) ? REVIEW_STATES[given] : undefined;
  if (state === undefined) return ignored(`a review in state ${given} is not finished`);
  return event({
    ...of,
    kind: 'review-submitted',
    number: number(at(payload, 'pull_request', 'number')),
    reviewer: optional(text, at(payload, 'review', 'user', 'login')) ?? '',
    state,
    commitId: optional(text, at(payload, 'review', 'commit_id')) ?? '',
  });
}

function mapComment(payload: Payload, of: EventOrigin): Mapped {
  const action = text(payload.action);
  const notice = action === 'edited' || action === 'deleted' ? noticeOf(payload) : undefined;
  if (notice !== undefined) return mapNotice(payload, of, action, notice);
  if (action !== 'created')
    return ignored(`issue_comment.${action}: commands count when they are written, not when edited`);
  if (at(payload, 'comment', 'user', 'type') === 'Bot') return ignored('a comment of a bot');
  const authorId = optional(number, at(payload, 'comment', 'user', 'id'));
  const onPull =
    at(payload, 'issue', 'pull_request') !== undefined || at(payload, 'issue', 'is_pull_request') === true;
  return event({
    ...of,
    kind: onPull ? 'comment-created' : 'issue-commented',
    number: number(at(payload, 'issue', 'number')),
    author: text(at(payload, 'comment', 'user', 'login')),
    ...(authorId === undefined ? {} : { authorId }),
    commentId: number(at(payload, 'comment', 'id')),
    body: (optional(anyText, at(payload, 'comment', 'body')) ?? '').slice(0, BODY_MAX),
    createdAt: text(at(payload, 'comment', 'created_at')),
  });
}

function mapNotice(payload: Payload, of: EventOrigin, action: string, notice: number): Mapped {
  const updatedAt = optional(text, at(payload, 'comment', 'updated_at')) ?? '';
  const commentId = number(at(payload, 'comment', 'id'));
  return event({
    ...of,
    kind: 'notice-changed',
    number: number(at(payload, 'issue', 'number')),
    notice,
    change: `${action} ${commentId} ${updatedAt}`.trimEnd(),
    commentId,
    sender: senderOf(payload),
  });
}

/** Of a bot's comment that says of an override, changed by somebody else; whether there was one is looked up. */
function noticeOf(payload: Payload): number | undefined {
  const before = at(payload, 'changes', 'body', 'from') ?? at(payload, 'comment', 'body');
  const isOwn = at(payload, 'sender', 'id') === at(payload, 'comment', 'user', 'id');
  if (isOwn || typeof before !== 'string' || at(payload, 'comment', 'user', 'type') !== 'Bot')
    return undefined;
  const id = NOTICE.exec(before)?.[1];
  return id === undefined ? undefined : Number(id);
}

const BRANCH = 'refs/heads/';

function mapMergeGroup(payload: Payload, of: EventOrigin): Mapped {
  const action = text(payload.action);
  if (action !== 'checks_requested') return ignored(`merge_group.${action} changes nothing for us`);
  const group = at(payload, 'merge_group');
  return event({
    ...of,
    kind: 'merge-group-made',
    headSha: text(at(group, 'head_sha')),
    baseSha: text(at(group, 'base_sha')),
    baseRef: text(at(group, 'base_ref')).replace(BRANCH, ''),
  });
}

function mapPush(payload: Payload, of: EventOrigin): Mapped {
  const ref = text(payload.ref);
  if (!ref.startsWith(BRANCH)) return ignored('a push that is not to a branch');
  if (payload.deleted === true) return ignored('a branch was deleted');
  const { sender } = senderAccount(payload);
  return event({
    ...of,
    kind: 'branch-pushed',
    branch: ref.slice(BRANCH.length),
    defaultBranch: text(at(payload, 'repository', 'default_branch')),
    sha: text(payload.after),
    before: text(payload.before),
    ...(sender === undefined ? {} : { pushedBy: sender }),
  });
}

function senderAccount(payload: Payload): { readonly sender?: Sender } {
  const login = senderOf(payload);
  const id = optional(number, at(payload, 'sender', 'id'));
  return login === '' ? {} : { sender: { login, ...(id === undefined ? {} : { id }) } };
}

function repoOf(payload: Payload): Repo | undefined {
  const owner = at(payload, 'repository', 'owner', 'login');
  const name = at(payload, 'repository', 'name');
  return isName(owner) && isName(name) ? { owner, name } : undefined;
}

/** What GitHub takes as one; it becomes part of ids and paths. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.-]{1,100}$/.test(value) && !/^\.+$/.test(value);
}
