import { expect, test } from 'vitest';
import { toGitHubError } from './errors.ts';

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
