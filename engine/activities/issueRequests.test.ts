import { expect, test } from 'vitest';
import { parseCommand } from '../github/commands.ts';
import type { IssueCommented } from '../github/events.ts';
import { issueRequestOf, onPull } from './issueRequests.ts';

const said = (body: string): IssueCommented => ({
  kind: 'issue-commented',
  repo: { owner: 'acme', name: 'infra' },
  installationId: 1,
  number: 17,
  author: 'anna',
  authorId: 7,
  commentId: 5,
  body,
  createdAt: '2026-01-01T00:00:00Z',
});

test('a command for an issue is passed on as it was said', () => {
  expect(issueRequestOf(said('/doaas adopt'))).toEqual({
    actor: 'anna',
    actorId: 7,
    at: '2026-01-01T00:00:00Z',
    commentId: 5,
    headSha: undefined,
    command: 'adopt',
    argument: undefined,
  });
  expect(issueRequestOf(said('/doaas unlock web-1'))).toMatchObject({
    command: 'unlock',
    argument: 'web-1',
  });
  expect(issueRequestOf(said('/doaas cancel keep'))).toMatchObject({
    command: 'cancel',
    argument: 'keep',
  });
  expect(issueRequestOf(said('why did this drift?'))).toBeUndefined();
});

test.each([
  ['/doaas apply', '`/doaas apply` belongs on a pull request. Nothing was done.'],
  ['/doaas adpot', 'Did you mean `/doaas adopt`?'],
  ['/doaas adopt now', 'takes no arguments'],
  ['/doaas', 'A command is missing'],
])('%s is answered with what can be said there', (body, text) => {
  const request = issueRequestOf(said(body));
  expect(request?.command).toBe('help');
  expect(request?.mistaken).toContain(text);
  expect(request?.mistaken).toContain('| `/doaas adopt` |');
  expect(request?.mistaken).not.toContain('| `/doaas rollback` |');
});

test('adopt on a pull request is a mistake; the rest is not', () => {
  expect(onPull(parseCommand('/doaas adopt'))).toMatchObject({
    kind: 'wrong',
    message: expect.stringContaining('belongs on a drift issue'),
  });
  expect(onPull(parseCommand('/doaas apply'))).toMatchObject({ kind: 'command', name: 'apply' });
  expect(onPull(parseCommand('/doaas xyz')).kind).toBe('wrong');
});
