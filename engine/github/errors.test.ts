import { expect, test } from 'vitest';
import { expectNamed, isForToken, isShutOut, toGitHubError } from './errors.ts';

test.each([-7200, 0, 7200])(
  'how long to wait is told by the clock of GitHub, not by one that is %d s off',
  (off) => {
    const githubNow = Math.floor(Date.now() / 1000) - off;
    const headers = {
      date: new Date(githubNow * 1000).toUTCString(),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(githubNow + 60),
    };
    const error = { status: 403, message: 'API rate limit exceeded', response: { headers } };
    expect(toGitHubError('Reading', error)).toMatchObject({
      type: 'github-rate-limited',
      retryAfterSeconds: 60,
    });
  },
);

const answered = (status: number, message: string) =>
  Object.assign(new Error(message), { status, response: { headers: {} } });
const PERMISSION = answered(403, 'Resource not accessible by integration');

test.each([
  ['a missing permission', PERMISSION, true, true],
  ['an archive', answered(403, 'Repository was archived so is read-only.'), true, false],
  ['a blocked repository', answered(451, 'Repository access blocked'), true, false],
  ['what is not there', answered(404, 'Not Found'), true, false],
  ['a token that ended', answered(401, 'Bad credentials'), false, true],
  ['a limit', answered(403, 'You have exceeded a secondary rate limit'), false, false],
  ['a mistake', answered(422, 'Validation Failed'), false, false],
  ['an outage', answered(502, 'Server Error'), false, false],
])(
  '%s: whether people let the App in again, and whether another token may be good for it',
  (_, error, out, token) => {
    expect(isShutOut(toGitHubError('Writing', error))).toBe(out);
    expect(isForToken(error)).toBe(token);
  },
);

test('a name that has changed is no name, whatever its case', () => {
  const repo = { owner: 'acme', name: 'infra' };
  expect(() => expectNamed(repo, 'Acme/Infra')).not.toThrow();
  expect(() => expectNamed(repo, 'other/infra')).toThrow(/acme\/infra is called other\/infra now/);
});
