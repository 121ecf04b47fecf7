import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { mapEvent } from './map-event.ts';

interface Definition {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}

/** Payloads that GitHub really sent. */
const recorded: readonly Definition[] = createRequire(import.meta.url)('@octokit/webhooks-examples');

const ours = { appId: 25811 };

function examples(name: string, action?: string): readonly Record<string, unknown>[] {
  const all = recorded.find((definition) => definition.name === name)?.examples ?? [];
  return all.filter((example) => action === undefined || example.action === action);
}

function first(name: string, action?: string): Record<string, unknown> {
  const [example] = examples(name, action);
  if (example === undefined) throw new Error(`no example of ${name}.${action}`);
  return structuredClone(example);
}

function mapped(name: string, payload: unknown, options = ours) {
  const result = mapEvent(name, payload, options);
  return result.kind === 'event' ? result.event : result.reason;
}

describe.each(recorded.map((definition) => [definition.name, definition.examples] as const))(
  '%s',
  (name, payloads) => {
    test('every recorded payload is an event or is ignored for a reason that we meant', () => {
      for (const payload of payloads) {
        const result = mapEvent(name, payload, ours);
        if (result.kind === 'ignored') expect(result.reason).not.toContain('is not as GitHub describes it');
        else if (result.event.kind !== 'access-changed')
          expect(result.event.repo).toEqual({ owner: expect.any(String), name: expect.any(String) });
      }
    });
  },
);

test('of the recorded pull request payloads all that matter are events', () => {
  const kinds = examples('pull_request').map((payload) => [
    payload.action,
    mapEvent('pull_request', payload, ours).kind,
  ]);
  const events = new Set(kinds.filter(([, kind]) => kind === 'event').map(([action]) => action));
  expect([...events].sort()).toEqual([
    'closed',
    'converted_to_draft',
    'opened',
    'ready_for_review',
    'reopened',
    'synchronize',
  ]);
});

test('an opened pull request', () => {
  expect(mapped('pull_request', first('pull_request', 'opened'))).toEqual({
    kind: 'pull-request-changed',
    action: 'opened',
    repo: { owner: 'Codertocat', name: 'Hello-World' },
    repositoryId: 186853002,
    installationId: undefined,
    number: 2,
    headSha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    headRef: 'changes',
    baseRef: 'master',
    baseSha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
    fork: false,
    author: 'Codertocat',
    draft: false,
    state: 'open',
    sender: { login: 'Codertocat', id: 21031067 },
    headRepositoryId: 186853002,
  });
});

test('another default branch counts, other settings do not', () => {
  const repository = { name: 'infra', owner: { login: 'acme' }, id: 7, default_branch: 'trunk' };
  const edited = (changes: object) => mapped('repository', { action: 'edited', repository, changes });
  expect(edited({ default_branch: { from: 'main' } })).toMatchObject({
    kind: 'default-branch-changed',
    from: 'main',
    to: 'trunk',
  });
  expect(edited({ homepage: { from: null } })).toBe('the default branch is the same');
});

test('who pushed, from where to where, to the branch of which repository', () => {
  const pushed = mapped('pull_request', first('pull_request', 'synchronize'));
  expect(pushed).toMatchObject({
    action: 'synchronize',
    sender: { login: 'Codertocat', id: 21031067 },
    headRepositoryId: 186853002,
    before: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
  const push = first('push');
  const sender = push.sender as { readonly login: string; readonly id: number };
  const branch = { ...push, ref: 'refs/heads/a/b', deleted: false };
  expect(mapped('push', branch)).toMatchObject({
    repositoryId: 186853002,
    before: push.before,
    sha: push.after,
    pushedBy: { login: sender.login, id: sender.id },
  });
  // the names in the commits are whatever their author wrote
  const forged = { ...branch, pusher: { name: 'anna', email: 'anna@example.com' } };
  expect(mapped('push', forged)).toMatchObject({ pushedBy: { login: sender.login } });
});

test('a head in another repository, or in a deleted one, is a fork', () => {
  const payload = first('pull_request', 'opened');
  const pull = payload.pull_request as { head: { repo: { id: number } | null } };
  pull.head.repo = { id: 1 };
  expect(mapped('pull_request', payload)).toMatchObject({ fork: true });
  pull.head.repo = null;
  expect(mapped('pull_request', payload)).toMatchObject({ fork: true });
});

test('an edited pull request counts when its base changed', () => {
  const payload = { ...first('pull_request', 'opened'), action: 'edited', changes: { title: { from: 'x' } } };
  expect(mapped('pull_request', payload)).toBe('only the text of the pull request was edited');
  const rebased = { ...payload, changes: { base: { ref: { from: 'main' }, sha: { from: 'abc' } } } };
  expect(mapped('pull_request', rebased)).toMatchObject({ action: 'edited', baseRef: 'master' });
});

test('a review with its commit', () => {
  expect(mapped('pull_request_review', first('pull_request_review', 'submitted'))).toMatchObject({
    kind: 'review-submitted',
    number: 2,
    reviewer: 'Codertocat',
    state: 'commented',
    commitId: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
  });
});

test('comments by bots and edited ones are ignored; those on pull requests and issues count, bounded', () => {
  const payload = first('issue_comment', 'created');
  const issue = payload.issue as Record<string, unknown>;
  delete issue.pull_request;
  expect(mapped('issue_comment', payload)).toMatchObject({ kind: 'issue-commented', number: 1 });
  issue.pull_request = { url: 'https://api.github.com/x' };
  const comment = payload.comment as { body: string; user: { type: string } };
  comment.body = `/doaas plan\n${'x'.repeat(100_000)}`;
  const event = mapped('issue_comment', payload);
  expect(event).toMatchObject({
    kind: 'comment-created',
    number: 1,
    author: 'Codertocat',
    authorId: 21031067,
    commentId: 492700400,
  });
  expect(event).toHaveProperty('body', comment.body.slice(0, 8192));
  expect(mapped('issue_comment', { ...payload, action: 'edited' })).toMatch(
    /when they are written, not when edited/,
  );
  comment.user.type = 'Bot';
  expect(mapped('issue_comment', payload)).toBe('a comment of a bot');
});

test('a button of our own check counts, one of another App does not', () => {
  const payload = first('check_run', 'requested_action');
  expect(mapped('check_run', payload, { appId: 1 })).toBe("another App's check");
  expect(mapped('check_run', payload)).toMatchObject({
    kind: 'check-action',
    checkRunId: 1494503112,
    name: 'API Review',
    headSha: '5bd5f196a46b8222fb7484f05faba41a73cf34bd',
    numbers: [26764],
  });
});

test('a merge group, and checks of others that have ended', () => {
  expect(mapped('merge_group', first('merge_group', 'checks_requested'))).toMatchObject({
    kind: 'merge-group-made',
    headSha: expect.stringMatching(/^[0-9a-f]{40}$/),
    baseSha: expect.stringMatching(/^[0-9a-f]{40}$/),
    baseRef: expect.not.stringContaining('refs/'),
  });
  const suite = first('check_suite', 'completed');
  expect(mapped('check_suite', suite)).toMatchObject({ kind: 'checks-completed' });
  const own = { ...suite, check_suite: { ...(suite.check_suite as object), app: { id: ours.appId } } };
  expect(mapped('check_suite', own)).toBe('our own checks have ended');
});

test('a status of a commit, once it says something', () => {
  const payload = first('status');
  expect(mapped('status', { ...payload, state: 'success' })).toMatchObject({
    kind: 'checks-completed',
    headSha: payload.sha,
    numbers: [],
  });
  expect(mapped('status', { ...payload, state: 'error' })).toMatchObject({ kind: 'checks-completed' });
  expect(mapped('status', { ...payload, state: 'pending' })).toBe('a status that is pending opens no gate');
});

test('a push to a branch, not to a tag, not a deletion', () => {
  const payload = { ...first('push'), ref: 'refs/heads/a/b', deleted: false, after: 'c0ffee' };
  expect(mapped('push', payload)).toMatchObject({
    kind: 'branch-pushed',
    branch: 'a/b',
    sha: 'c0ffee',
    defaultBranch: 'master',
  });
  expect(mapped('push', { ...payload, ref: 'refs/tags/v1' })).toBe('a push that is not to a branch');
  expect(mapped('push', { ...payload, deleted: true })).toBe('a branch was deleted');
});

test('a comment that says of an override counts when somebody else edits or deletes it', () => {
  const payload = first('issue_comment', 'created');
  const notice = {
    ...payload,
    action: 'deleted',
    comment: {
      ...(payload.comment as object),
      user: { id: 1, type: 'Bot' },
      body: '<!-- doaas:override-7 -->\n### The',
    },
    sender: { login: 'wally', id: 2 },
  };
  const changed = {
    kind: 'notice-changed',
    number: 1,
    notice: 7,
    change: expect.stringMatching(/^(edited|deleted) 492700400 20/),
    commentId: 492700400,
    sender: 'wally',
  };
  expect(mapped('issue_comment', notice)).toMatchObject(changed);
  const comment = { ...notice.comment, body: 'nothing happened' };
  const from = { changes: { body: { from: notice.comment.body } } };
  expect(mapped('issue_comment', { ...notice, action: 'edited', comment, ...from })).toMatchObject(changed);
  const ours = { ...notice, action: 'edited', sender: { id: 1 }, ...from };
  expect(mapped('issue_comment', ours)).toMatch(/issue_comment.edited: commands count/);
  expect(mapped('issue_comment', { ...notice, comment })).toMatch(/issue_comment.deleted/);
  const pasted = { ...notice.comment, user: { id: 1, type: 'User' } };
  expect(mapped('issue_comment', { ...notice, comment: pasted })).toMatch(/issue_comment.deleted/);
});

test.each([
  ['no object', 'pull_request', null],
  ['an array', 'pull_request', []],
  ['no repository', 'pull_request', { action: 'opened' }],
  ['a name from the prototype', 'constructor', first('push')],
  [
    'an action from the prototype',
    'pull_request',
    { ...first('pull_request', 'opened'), action: 'constructor' },
  ],
  ['no pull request', 'pull_request', { ...first('pull_request', 'opened'), pull_request: 7 }],
  ['a number as text', 'pull_request', { ...first('pull_request', 'opened'), pull_request: { number: '2' } }],
])('%s is ignored', (_, name, payload) => {
  expect(mapEvent(name, payload, ours).kind).toBe('ignored');
});

test.each([
  ['repository', 'renamed'],
  ['repository', 'archived'],
  ['installation', 'suspend'],
  ['installation', 'deleted'],
  ['installation_repositories', 'removed'],
])('%s.%s changes what the App reaches', (name, action) => {
  expect(mapped(name, { action })).toEqual({ kind: 'access-changed', what: `${name}.${action}` });
  expect(mapped(name, { action: 'other' })).toBe(`${name}.other changes nothing for us`);
});
