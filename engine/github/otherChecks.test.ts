import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GitHubClient } from './client.ts';
import { createKnown } from './known.ts';
import { PAGE_SIZE, PAGES_MAX } from './limits.ts';
import { otherChecks } from './otherChecks.ts';

/** What the server has of each; a commit is named by the list of which it has many. */
const MANY = PAGE_SIZE * PAGES_MAX;
let server: Server;

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://github.test');
    const [commit = '', list = ''] = pathname.split('/').slice(-2);
    const begin = (Number(searchParams.get('page')) - 1) * PAGE_SIZE;
    const all = commit === list ? MANY : 2;
    const page = Array.from({ length: Math.max(0, Math.min(PAGE_SIZE, all - begin)) }, (_, i) => ({
      name: `run-${begin + i}`,
      context: `status-${begin + i}`,
      status: 'completed',
      conclusion: 'success',
      state: 'success',
    }));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(list === 'check-runs' ? { total_count: all, check_runs: page } : page));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

test.each([
  ['few', 4, false],
  ['check-runs', MANY + 2, true],
  ['statuses', MANY + 2, true],
])(
  'of a commit with %s as many are read as may be, and whether there may be more is said',
  async (commit, count, cut) => {
    const octokit = new Octokit({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const app = { id: 1, slug: 'doaas', botLogin: 'doaas[bot]' };
    const client: GitHubClient = { octokit, app, installationId: 1, spare: () => true, known: createKnown() };
    const read = await otherChecks(client, { owner: 'acme', name: 'infra' }, commit);
    expect([read.checks.length, read.cut]).toEqual([count, cut]);
    expect(read.checks.every(({ state }) => state === 'green')).toBe(true);
  },
);
